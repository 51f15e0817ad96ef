/* SPDX-License-Identifier: Apache-2.0 */
#include "net/aws.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "net/xml.h"

#define EARLY_US (300 * 1000000LL)	/* temporary credentials are renewed this long before they end */

/* One set of credentials; owns its texts. */
struct found {
	char *access_key, *secret_key, *session_token;
	int64_t expires_at;	/* microseconds since 1970; 0: never */
};

struct aws {
	char *profile, *region;
	struct found base, role;	/* role: what AWS_ROLE_ARN was assumed as */
};

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static void found_done(struct found *f)
{
	free(f->access_key);
	free(f->secret_key);
	free(f->session_token);
	*f = (struct found){ 0 };
}

static void set(char **to, const char *from)
{
	free(*to);
	*to = from && *from ? xstrdup(from) : NULL;
}

static bool usable(const struct found *f, int64_t now_us)
{
	return f->access_key && f->secret_key && (!f->expires_at || f->expires_at - EARLY_US > now_us);
}

/* --- the shared files: "[name]" or "[profile name]", then "key = value" --- */
static bool is_section(const char *line, const char *profile)
{
	size_t n = strlen(profile);

	line += strspn(line, "[ ");
	if (!strncmp(line, "profile ", 8))
		line += 8 + strspn(line + 8, " ");
	return !strncmp(line, profile, n) && line[n + strspn(line + n, " ")] == ']';
}

/* The value of a key in the profile's section, in the arena; NULL when it is not there. */
static const char *profile_value(const char *file, const char *profile, const char *key, struct arena *arena)
{
	FILE *f = file ? fopen(file, "re") : NULL;
	char line[4096];
	const char *value = NULL;
	bool inside = false;

	while (f && !value && fgets(line, sizeof(line), f)) {
		char *at = line + strspn(line, " \t"), *equals = strchr(at, '=');
		size_t n = strlen(key);

		if (*at == '[')
			inside = is_section(at, profile);
		else if (inside && equals && !strncmp(at, key, n) && at + n + strspn(at + n, " \t") == equals)
			value = arena_strndup(arena, equals + 1 + strspn(equals + 1, " \t"),
					      strcspn(equals + 1 + strspn(equals + 1, " \t"), "\r\n"));
	}
	if (f)
		fclose(f);
	return value;
}

static const char *shared_file(const char *variable, const char *name, struct arena *arena)
{
	const char *path = environment(variable), *home = environment("HOME");

	return path ? path : home ? arena_printf(arena, "%s/.aws/%s", home, name) : NULL;
}

static const char *profile_setting(const struct aws *aws, const char *key, struct arena *arena)
{
	const char *value = profile_value(shared_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", arena), aws->profile, key, arena);

	return value ? value : profile_value(shared_file("AWS_CONFIG_FILE", "config", arena), aws->profile, key, arena);
}

struct aws *aws_open(const char *profile)
{
	struct aws *aws = xcalloc(1, sizeof(*aws));
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *region = environment("AWS_REGION");

	profile = profile ? profile : environment("AWS_PROFILE");
	aws->profile = xstrdup(profile ? profile : "default");
	region = region ? region : environment("AWS_DEFAULT_REGION");
	set(&aws->region, region ? region : profile_setting(aws, "region", &arena));
	return aws;
}

void aws_close(struct aws *aws)
{
	if (!aws)
		return;
	found_done(&aws->base);
	found_done(&aws->role);
	free(aws->profile);
	free(aws->region);
	free(aws);
}

const char *aws_region(struct aws *aws)
{
	return aws->region;
}

static bool from_environment(struct found *f)
{
	set(&f->access_key, environment("AWS_ACCESS_KEY_ID"));
	set(&f->secret_key, environment("AWS_SECRET_ACCESS_KEY"));
	set(&f->session_token, environment("AWS_SESSION_TOKEN"));
	return f->access_key && f->secret_key;
}

static bool from_profile(const struct aws *aws, struct found *f)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	set(&f->access_key, profile_setting(aws, "aws_access_key_id", &arena));
	set(&f->secret_key, profile_setting(aws, "aws_secret_access_key", &arena));
	set(&f->session_token, profile_setting(aws, "aws_session_token", &arena));
	return f->access_key && f->secret_key;
}

static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

static void json_release(json_t **json)
{
	json_decref(*json);
}

/* {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}: what the container and instance services answer. */
static bool from_json(struct span text, struct found *f)
{
	json_t *object __attribute__((cleanup(json_release))) = json_loadb(text.data ? text.data : "", text.length, 0, NULL);

	set(&f->access_key, json_string_value(json_object_get(object, "AccessKeyId")));
	set(&f->secret_key, json_string_value(json_object_get(object, "SecretAccessKey")));
	set(&f->session_token, json_string_value(json_object_get(object, "Token")));
	f->expires_at = time_of(json_string_value(json_object_get(object, "Expiration")));
	return f->access_key && f->secret_key;
}

static bool get(struct web *web, const char *method, const char *url, const struct buffer *headers, struct web_answer *answer)
{
	struct web_request rq = { .method = method, .url = url, .headers = headers, .limit = 65536, .timeout_s = 2 };
	struct err ignored = { 0 };

	return web_call(web, &rq, answer, &ignored) == 1 && answer->status == 200;
}

static bool from_container(struct web *web, struct found *f)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"), *token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if (!relative && !full)
		return false;
	buffer_printf(&url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
	if (token)
		buffer_printf(&headers, "Authorization: %s\n", token);
	return get(web, "GET", url.data, &headers, &answer) && from_json(buffer_span(&answer.body), f);
}

/* The instance's own service: a session first, then the role's name, then its keys. */
static bool from_instance(struct web *web, struct found *f)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *disabled = environment("AWS_EC2_METADATA_DISABLED");

	if (disabled && !strcmp(disabled, "true"))
		return false;
	base = base ? base : "http://169.254.169.254";
	buffer_puts(&headers, "X-aws-ec2-metadata-token-ttl-seconds: 21600\n");
	buffer_printf(&url, "%s/latest/api/token", base);
	if (!get(web, "PUT", url.data, &headers, &answer))
		return false;
	buffer_clear(&headers);
	buffer_printf(&headers, "X-aws-ec2-metadata-token: %s\n", answer.body.data);
	buffer_clear(&url);
	buffer_printf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
	if (!get(web, "GET", url.data, &headers, &answer))
		return false;
	buffer_append(&url, answer.body.data, strcspn(answer.body.data, "\r\n"));
	return get(web, "GET", url.data, &headers, &answer) && from_json(buffer_span(&answer.body), f);
}

/* --- STS: a form in, XML out --- */
static bool from_xml(struct span text, struct found *f)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	set(&f->access_key, xml_text(text, "AccessKeyId", &arena));
	set(&f->secret_key, xml_text(text, "SecretAccessKey", &arena));
	set(&f->session_token, xml_text(text, "SessionToken", &arena));
	f->expires_at = time_of(xml_text(text, "Expiration", &arena));
	return f->access_key && f->secret_key;
}

static void put_form(struct buffer *form, const char *name, const char *value)
{
	buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
	web_escape(span_of(value), false, form);
}

/* Calls STS; `signer` NULL: the form itself proves who asks. */
static int call_sts(struct aws *aws, struct web *web, const struct buffer *form, const struct aws_credentials *signer,
		    int64_t now_us, struct found *f, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *endpoint = environment("AWS_ENDPOINT_URL_STS"), *region = aws->region ? aws->region : "us-east-1", *host;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	buffer_printf(&url, endpoint ? "%s" : "https://sts.%s.amazonaws.com", endpoint ? endpoint : region);
	host = strstr(url.data, "://");
	sha256(buffer_span(form), digest);
	hex_encode(digest, sizeof(digest), hex);
	if (signer)
		sigv4_sign(&(struct sigv4_request){ "POST", host ? host + 3 : url.data, "/", "", hex, region, "sts", now_us }, signer, "",
			   &headers);
	buffer_puts(&headers, "Content-Type: application/x-www-form-urlencoded\n");
	buffer_puts(&url, "/");
	if (web_call_again(web, &(struct web_request){ .method = "POST", .url = url.data, .headers = &headers,
						       .body = buffer_span(form), .limit = 1 << 20, .timeout_s = 20 }, &answer, e) < 0)
		return -1;
	if (answer.status != 200 || !from_xml(buffer_span(&answer.body), f))
		return err_unavailable(e, "AWS STS answered %d: %.200s", answer.status, answer.body.data ? answer.body.data : "");
	return 1;
}

static int from_web_identity(struct aws *aws, struct web *web, int64_t now_us, struct found *f, struct err *e)
{
	_cleanup_(buffer_done) struct buffer form = BUFFER_INIT;
	const char *path = environment("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = environment("AWS_ROLE_ARN");
	const char *session = environment("AWS_ROLE_SESSION_NAME");
	char token[16384];
	FILE *file;

	if (!path || !role)
		return 0;
	file = fopen(path, "re");
	if (!file)
		return err_unavailable(e, "AWS_WEB_IDENTITY_TOKEN_FILE: cannot read %s", path);
	token[fread(token, 1, sizeof(token) - 1, file)] = '\0';
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	put_form(&form, "Action", "AssumeRoleWithWebIdentity");
	put_form(&form, "Version", "2011-06-15");
	put_form(&form, "RoleArn", role);
	put_form(&form, "RoleSessionName", session ? session : "pulumi-api");
	put_form(&form, "WebIdentityToken", token);
	return call_sts(aws, web, &form, NULL, now_us, f, e);
}

static int find_base(struct aws *aws, struct web *web, int64_t now_us, struct err *e)
{
	struct found *f = &aws->base;
	int rc;

	if (usable(f, now_us))
		return 1;
	found_done(f);
	if (from_environment(f) || from_profile(aws, f))
		return 1;
	rc = from_web_identity(aws, web, now_us, f, e);
	if (rc)
		return rc;
	if (from_container(web, f) || from_instance(web, f))
		return 1;
	return err_unavailable(e, "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run with a role");
}

static int assume_role(struct aws *aws, struct web *web, int64_t now_us, struct err *e)
{
	_cleanup_(buffer_done) struct buffer form = BUFFER_INIT;
	struct aws_credentials base = { aws->base.access_key, aws->base.secret_key, aws->base.session_token };
	const char *session = environment("AWS_ROLE_SESSION_NAME");

	if (usable(&aws->role, now_us))
		return 1;
	found_done(&aws->role);
	put_form(&form, "Action", "AssumeRole");
	put_form(&form, "Version", "2011-06-15");
	put_form(&form, "RoleArn", environment("AWS_ROLE_ARN"));
	put_form(&form, "RoleSessionName", session ? session : "pulumi-api");
	return call_sts(aws, web, &form, &base, now_us, &aws->role, e);
}

int aws_credentials(struct aws *aws, struct web *web, int64_t now_us, struct aws_credentials *ret, struct err *e)
{
	bool role = environment("AWS_ROLE_ARN") && !environment("AWS_WEB_IDENTITY_TOKEN_FILE");
	const struct found *f = role ? &aws->role : &aws->base;

	if (find_base(aws, web, now_us, e) < 0 || (role && assume_role(aws, web, now_us, e) < 0))
		return -1;
	*ret = (struct aws_credentials){ f->access_key, f->secret_key, f->session_token };
	return 1;
}
