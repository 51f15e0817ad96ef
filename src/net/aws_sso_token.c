/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token that `aws sso login` leaves in ~/.aws/sso/cache. One of an sso_session is refreshed when it is about to end, with the
 * registration and the refresh token that lie beside it (SSO OIDC API, CreateToken), and written back as the AWS SDKs do: everybody who
 * uses the session has the new one, and the service may have replaced the refresh token. Nobody can log in here.
 */
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/aws_keys.h"

#define SHA1_BYTES 20
#define ANSWER_LIMIT 65536
#define EARLY_US (300 * 1000000LL)	/* before its end, as the SDKs do */
#define INSTEAD "a server is better served by the role of its machine or container, AWS_WEB_IDENTITY_TOKEN_FILE or access keys"

struct cached {
	const struct aws_sso *sso;
	const char *folder, *path;
	json_t *file;
	int64_t expires_at;
};

static void cached_done(struct cached *c)
{
	json_decref(c->file);
}

static void json_release(json_t **json)
{
	json_decref(*json);
}

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Named by the SHA-1 of the session's name, or of the start address of a profile without a session. */
static void find_path(struct cached *c, struct arena *arena)
{
	const char *name = c->sso->session ? c->sso->session : c->sso->start_url, *home = aws_environment("HOME");
	unsigned char digest[SHA1_BYTES];
	char hex[2 * SHA1_BYTES + 1] = "";

	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, name, strlen(name), digest) == 0)
		hex_encode(digest, sizeof(digest), hex);
	c->folder = arena_printf(arena, "%s/.aws/sso/cache", home ? home : "");
	c->path = arena_printf(arena, "%s/%s.json", c->folder, hex);
}

/* 0 when it is no time. */
static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

static int read_file(struct cached *c, struct err *e)
{
	FILE *file = fopen(c->path, "re");

	json_decref(c->file);
	c->file = file ? json_loadf(file, 0, NULL) : NULL;
	if (file)
		fclose(file);
	c->expires_at = time_of(member(c->file, "expiresAt"));
	if (member(c->file, "accessToken") && c->expires_at)
		return 1;
	return err_unavailable(e, "AWS profile '%s': there is no SSO token in %s: run 'aws sso login --profile %s' as the user of the "
			       "server; " INSTEAD, c->sso->profile, c->path, c->sso->profile);
}

/* --- a new one --- */

static bool can_refresh(const struct cached *c, int64_t now_us)
{
	const char *registered = member(c->file, "registrationExpiresAt");

	return c->sso->session && member(c->file, "refreshToken") && member(c->file, "clientId") && member(c->file, "clientSecret") &&
	       (!registered || time_of(registered) > now_us);
}

static void put_url(const struct aws_sso *sso, struct buffer *url)
{
	const char *endpoint = aws_environment("AWS_ENDPOINT_URL_SSO_OIDC");

	if (endpoint)
		buffer_append(url, endpoint, strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/'));
	else
		buffer_printf(url, "https://oidc.%s.amazonaws.com%s", sso->region, strncmp(sso->region, "cn-", 3) ? "" : ".cn");
	buffer_puts(url, "/token");
}

static void put_question(const struct cached *c, struct buffer *body)
{
	static const char *const names[] = { "refreshToken", "clientId", "clientSecret" };
	json_t *question __attribute__((cleanup(json_release))) = json_object();
	char *text;

	json_object_set_new(question, "grantType", json_string("refresh_token"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set(question, names[i], json_object_get(c->file, names[i]));
	text = json_dumps(question, JSON_COMPACT);
	buffer_puts(body, text ? text : "{}");
	if (text)
		wipe(text, strlen(text));
	free(text);
}

/* {"error", "error_description"}: what else is in an answer may be a secret. */
static int refused(const struct cached *c, const struct web_answer *answer, const json_t *said, struct err *e)
{
	const char *error = member(said, "error"), *why = member(said, "error_description");

	return err_unavailable(e, "AWS profile '%s': its SSO token is not refreshed: answer %d %s: %s; run 'aws sso login --profile %s' as the user "
			       "of the server; " INSTEAD, c->sso->profile, answer->status, error ? error : "", why ? why : "no reason given",
			       c->sso->profile);
}

/* Takes over {"accessToken", "expiresIn", "refreshToken"}; everything else in the file stays. */
static int take(struct cached *c, const struct web_answer *answer, int64_t now_us, struct err *e)
{
	json_t *said __attribute__((cleanup(json_release))) =
		json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
	int64_t seconds = json_integer_value(json_object_get(said, "expiresIn"));
	time_t ends = (time_t)(now_us / 1000000 + seconds);
	char text[32];
	struct tm tm;

	if (answer->status != 200 || !member(said, "accessToken") || seconds <= 0 || seconds > 366 * 86400)
		return refused(c, answer, said, e);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&ends, &tm));
	json_object_set(c->file, "accessToken", json_object_get(said, "accessToken"));
	if (member(said, "refreshToken"))
		json_object_set(c->file, "refreshToken", json_object_get(said, "refreshToken"));
	json_object_set_new(c->file, "expiresAt", json_string(text));
	c->expires_at = (int64_t)ends * 1000000;
	return 1;
}

/* Readers see the old file or the new one. Where it cannot be written the token serves this process. */
static void write_file(const struct cached *c, struct arena *arena)
{
	char *fresh = arena_printf(arena, "%s.XXXXXX", c->path);
	int fd = mkostemp(fresh, O_CLOEXEC);	/* mode 0600 */
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good;

	if (!file)
		return;
	good = json_dumpf(c->file, file, JSON_COMPACT) == 0 && fflush(file) == 0 && fsync(fd) == 0;
	good = fclose(file) == 0 && good;
	if (!good || rename(fresh, c->path) < 0)
		unlink(fresh);
}

static int ask(struct cached *c, struct web *web, int64_t now_us, struct err *e)
{
	static const char type[] = "Content-Type: application/json\n";
	_cleanup_(buffer_wipe) struct buffer body = BUFFER_INIT;
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, headers = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };

	put_url(c->sso, &url);
	put_question(c, &body);
	buffer_puts(&headers, type);
	if (web_call_again(web, &(struct web_request){ .method = "POST", .url = url.data, .headers = &headers, .body = buffer_span(&body),
						       .limit = ANSWER_LIMIT, .timeout_s = 5, .total_s = 15 }, &answer, e) < 0)
		return -1;
	return take(c, &answer, now_us, e);
}

/* One process asks, those that waited for it find what it wrote: a refresh token may be good for one use. */
static int refresh(struct cached *c, struct web *web, int64_t now_us, struct arena *arena, struct err *e)
{
	_cleanup_(close_descriptor) int lock = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock >= 0)
		flock(lock, LOCK_EX);
	if (read_file(c, e) < 0)
		return -1;
	if (c->expires_at > now_us + EARLY_US || !can_refresh(c, now_us))
		return 1;
	if (ask(c, web, now_us, e) < 0)
		return -1;
	write_file(c, arena);
	return 1;
}

int aws_sso_token(const struct aws_sso *sso, struct web *web, int64_t now_us, struct arena *arena, const char **ret_token, struct err *e)
{
	_cleanup_(cached_done) struct cached c = { .sso = sso };
	struct err why = { 0 };

	find_path(&c, arena);
	if (read_file(&c, e) < 0)
		return -1;
	/* Without a new one the old one is good until its end. */
	if (c.expires_at <= now_us + EARLY_US && can_refresh(&c, now_us) && refresh(&c, web, now_us, arena, &why) < 0 &&
	    c.expires_at <= now_us) {
		*e = why;
		return -1;
	}
	if (c.expires_at <= now_us)
		return err_unavailable(e, "AWS profile '%s': its SSO token ended at %s: run 'aws sso login --profile %s' as the user of the "
				       "server; " INSTEAD, sso->profile, member(c.file, "expiresAt"), sso->profile);
	*ret_token = arena_strdup(arena, member(c.file, "accessToken"));
	return 1;
}
