/* SPDX-License-Identifier: Apache-2.0 */
#include "net/aws.h"

#include <stdlib.h>

#include "net/aws_keys.h"

#define EARLY_US (300 * 1000000LL)	/* temporary credentials are renewed this long before they end */
#define AGAIN_US (10 * 1000000LL)	/* a renewal that failed is tried again after this, while the old ones are good */
#define LONGEST_CHAIN 8

struct aws {
	char *profile, *region;
	bool chosen;		/* the profile was named by whoever opened this: it goes before the environment */
	struct aws_keys keys;
	int64_t retry_at;
};

struct aws *aws_open(const char *profile)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct aws *aws = xcalloc(1, sizeof(*aws));
	const char *region = aws_environment("AWS_REGION");

	aws->chosen = profile;
	profile = profile ? profile : aws_environment("AWS_PROFILE");
	aws->profile = xstrdup(profile ? profile : "default");
	region = region ? region : aws_environment("AWS_DEFAULT_REGION");
	region = region ? region : aws_profile_value(aws->profile, "region", &arena);
	aws->region = region ? xstrdup(region) : NULL;
	return aws;
}

void aws_close(struct aws *aws)
{
	if (!aws)
		return;
	aws_keys_done(&aws->keys);
	free(aws->profile);
	free(aws->region);
	free(aws);
}

const char *aws_region(struct aws *aws)
{
	return aws->region;
}

/* What a search for keys needs on its way. */
struct search {
	const struct aws *aws;
	struct web *web;
	int64_t now_us;
	struct arena *arena;
};

static const char *value(const struct search *s, const char *profile, const char *key)
{
	return aws_profile_value(profile, key, s->arena);
}

/* 0 when the profile does not say that its user logs in by SSO. */
static int sso_profile(const struct search *s, const char *profile, struct aws_keys *k, struct err *e)
{
	struct aws_sso sso = { .profile = profile, .session = value(s, profile, "sso_session"), .start_url = value(s, profile, "sso_start_url"),
			       .account = value(s, profile, "sso_account_id"), .role = value(s, profile, "sso_role_name") };

	if (!sso.session && !sso.start_url)
		return 0;
	sso.region = sso.session ? aws_session_value(sso.session, "sso_region", s->arena) : value(s, profile, "sso_region");
	return aws_keys_of_sso(&sso, s->web, s->now_us, k, e);
}

/* A profile without a role: keys, a login by SSO, or a command that prints them. */
static int plain_profile(const struct search *s, const char *profile, struct aws_keys *k, struct err *e)
{
	const char *command;
	int rc;

	aws_keys_set(k, value(s, profile, "aws_access_key_id"), value(s, profile, "aws_secret_access_key"),
		     value(s, profile, "aws_session_token"), NULL);
	if (k->access_key && k->secret_key)
		return 1;
	rc = sso_profile(s, profile, k, e);
	if (rc)
		return rc;
	command = value(s, profile, "credential_process");
	return command ? aws_keys_of_command(command, k, e) : 0;
}

static int named_source(const struct search *s, const char *source, struct aws_keys *k, struct err *e)
{
	if (!strcmp(source, "Environment"))
		return aws_keys_of_environment(k);
	if (!strcmp(source, "EcsContainer"))
		return aws_keys_of_container(s->web, k, e);
	if (!strcmp(source, "Ec2InstanceMetadata"))
		return aws_keys_of_instance(s->web, k);
	return err_unavailable(e, "AWS profile: credential_source '%s' must be Environment, EcsContainer or Ec2InstanceMetadata", source);
}

static int from_profile(const struct search *s, const char *profile, int depth, struct aws_keys *k, struct err *e);

/* The keys with which the role of a profile is assumed. */
static int source_keys(const struct search *s, const char *profile, int depth, struct aws_keys *k, struct err *e)
{
	const char *source = value(s, profile, "source_profile"), *named = value(s, profile, "credential_source");
	int rc;

	if (source && !strcmp(source, profile))
		rc = plain_profile(s, source, k, e);
	else if (source)
		rc = from_profile(s, source, depth + 1, k, e);
	else
		rc = named ? named_source(s, named, k, e) : plain_profile(s, profile, k, e);
	if (rc == 0)
		return err_unavailable(e, "AWS profile '%s': no keys in '%s' to assume its role with", profile,
				       source ? source : named ? named : profile);
	return rc;
}

static int from_profile(const struct search *s, const char *profile, int depth, struct aws_keys *k, struct err *e)
{
	_cleanup_(aws_keys_done) struct aws_keys source = { 0 };
	struct aws_role role = { value(s, profile, "role_arn"), value(s, profile, "role_session_name"),
				 value(s, profile, "external_id"), value(s, profile, "region") };
	const char *file = value(s, profile, "web_identity_token_file");

	if (depth > LONGEST_CHAIN)
		return err_unavailable(e, "AWS profile '%s': the chain of source_profile is longer than %d, or a circle", profile,
				       LONGEST_CHAIN);
	if (!role.arn)
		return plain_profile(s, profile, k, e);
	role.region = role.region ? role.region : s->aws->region;
	if (file)
		return aws_keys_of_role(&role, NULL, file, s->web, s->now_us, k, e);
	if (source_keys(s, profile, depth, &source, e) < 0)
		return -1;
	return aws_keys_of_role(&role, &source, NULL, s->web, s->now_us, k, e);
}

static struct aws_role role_of_environment(const struct search *s)
{
	return (struct aws_role){ aws_environment("AWS_ROLE_ARN"), aws_environment("AWS_ROLE_SESSION_NAME"), NULL, s->aws->region };
}

static int from_web_identity(const struct search *s, struct aws_keys *k, struct err *e)
{
	const char *file = aws_environment("AWS_WEB_IDENTITY_TOKEN_FILE");
	struct aws_role role = role_of_environment(s);

	return file && role.arn ? aws_keys_of_role(&role, NULL, file, s->web, s->now_us, k, e) : 0;
}

/* The first place that has keys, in the order of AWS's own libraries. */
static int find_base(const struct search *s, struct aws_keys *k, struct err *e)
{
	int rc = s->aws->chosen ? from_profile(s, s->aws->profile, 0, k, e) : 0;

	if (!rc)
		rc = aws_keys_of_environment(k);
	if (!rc)
		rc = from_web_identity(s, k, e);
	if (!rc)
		rc = from_profile(s, s->aws->profile, 0, k, e);
	if (!rc)
		rc = aws_keys_of_container(s->web, k, e);
	if (!rc)
		rc = aws_keys_of_instance(s->web, k);
	return rc ? rc : err_unavailable(e, "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run with a role");
}

/* AWS_ROLE_ARN next to other keys: they are used to assume it. */
static int find(const struct search *s, struct aws_keys *k, struct err *e)
{
	_cleanup_(aws_keys_done) struct aws_keys base = { 0 };
	struct aws_role role = role_of_environment(s);

	if (!role.arn || aws_environment("AWS_WEB_IDENTITY_TOKEN_FILE"))
		return find_base(s, k, e);
	if (find_base(s, &base, e) < 0)
		return -1;
	return aws_keys_of_role(&role, &base, NULL, s->web, s->now_us, k, e);
}

static bool good_until(const struct aws_keys *k, int64_t moment_us)
{
	return k->access_key && (!k->expires_at || k->expires_at > moment_us);
}

static int renew(struct aws *aws, struct web *web, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(aws_keys_done) struct aws_keys fresh = { 0 };
	struct search s = { aws, web, now_us, &arena };

	if (find(&s, &fresh, e) < 0)
		return -1;
	aws_keys_done(&aws->keys);
	aws->keys = fresh;
	fresh = (struct aws_keys){ 0 };
	return 1;
}

/* Those that end soon still serve while the place that they come from is away. */
int aws_credentials(struct aws *aws, struct web *web, int64_t now_us, struct aws_credentials *ret, struct err *e)
{
	struct err failure = { 0 };

	if (!good_until(&aws->keys, now_us + EARLY_US) && (!good_until(&aws->keys, now_us) || aws->retry_at <= now_us) &&
	    renew(aws, web, now_us, &failure) < 0) {
		aws->retry_at = now_us + AGAIN_US;
		if (!good_until(&aws->keys, now_us)) {
			*e = failure;
			return -1;
		}
	}
	*ret = (struct aws_credentials){ aws->keys.access_key, aws->keys.secret_key, aws->keys.session_token };
	return 1;
}

void aws_forget(struct aws *aws)
{
	aws_keys_done(&aws->keys);
	aws->retry_at = 0;
}
