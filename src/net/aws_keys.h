/* SPDX-License-Identifier: Apache-2.0 */
/* Where AWS credentials come from, one call for each place; what net/aws.c puts in order. */
#ifndef NET_AWS_KEYS_H
#define NET_AWS_KEYS_H

#include "net/sigv4.h"
#include "net/web.h"

/* One set of credentials; owns its texts. */
struct aws_keys {
	char *access_key, *secret_key, *session_token;
	int64_t expires_at;	/* microseconds since 1970; 0: never */
};

void aws_keys_done(struct aws_keys *keys);
void aws_keys_set(struct aws_keys *keys, const char *access, const char *secret, const char *token, const char *expiration);
/* A variable of the environment; NULL when it is not set or empty. */
const char *aws_environment(const char *name);

/* Each: 1 found, 0 this place has none, -1 with a sentence when it has but they cannot be had. */
int aws_keys_of_environment(struct aws_keys *ret_keys);
/* {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}. */
int aws_keys_of_json(struct span text, struct aws_keys *ret_keys);
int aws_keys_of_container(struct web *web, struct aws_keys *ret_keys, struct err *e) WARN_UNUSED;
int aws_keys_of_instance(struct web *web, struct aws_keys *ret_keys);
/* Runs the command of a profile's credential_process and reads what it prints; kills it after 20 seconds. */
int aws_keys_of_command(const char *command, struct aws_keys *ret_keys, struct err *e) WARN_UNUSED;

/* --- the shared files: ~/.aws/credentials, then ~/.aws/config --- */

/* The value of a key in the profile's section, in the arena; NULL when it is in neither file. */
const char *aws_profile_value(const char *profile, const char *key, struct arena *arena);
/* The same in the section [sso-session NAME]. */
const char *aws_session_value(const char *session, const char *key, struct arena *arena);

/* --- IAM Identity Center --- */

struct aws_sso {
	const char *profile;		/* for messages */
	const char *session;		/* sso_session; NULL: the profile has a start_url of its own */
	const char *start_url, *region, *account, *role;	/* NULL when nothing says */
};
/* With the token of aws_sso_token. -1 with a sentence that names the profile. */
int aws_keys_of_sso(const struct aws_sso *sso, struct web *web, int64_t now_us, struct aws_keys *ret_keys, struct err *e) WARN_UNUSED;

/*
 * The token that `aws sso login` left, in the arena; refreshed when it belongs to a session and is about to end. -1 with a sentence that
 * names the profile when it is missing, or has ended and cannot be refreshed.
 */
int aws_sso_token(const struct aws_sso *sso, struct web *web, int64_t now_us, struct arena *arena, const char **ret_token,
		  struct err *e) WARN_UNUSED;

/* --- the token service --- */

struct aws_role {
	const char *arn, *session, *external_id;	/* session, external_id: NULL when nothing says */
	const char *region;
};
/* AssumeRole with the keys, or, when they are NULL, with the web identity token in the file. */
int aws_keys_of_role(const struct aws_role *role, const struct aws_keys *with, const char *token_file, struct web *web,
		     int64_t now_us, struct aws_keys *ret_keys, struct err *e) WARN_UNUSED;

#endif
