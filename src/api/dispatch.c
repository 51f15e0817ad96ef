/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch.h"

#include <stdio.h>

#include "access/access.h"
#include "base/limits.h"
#include "http/gzip.h"
#include "http/problem.h"

enum transaction { PLAIN, WRITE };

struct route {
	const char *method, *path, *name;
	api_handler *handler;
	enum permission access;
	enum transaction transaction;
};

static const struct route routes[] = {
#define OP(method, path, name, access, transaction) { #method, path, #name, api_##name, access, transaction },
#define ALIAS OP
#include "api/routes.def"
#undef OP
#undef ALIAS
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))
#define GZIP_FROM 1024	/* smaller answers travel as they are */

static bool is_kind(const char *text)
{
	return !strcmp(text, "update") || !strcmp(text, "preview") || !strcmp(text, "refresh") ||
	       !strcmp(text, "destroy");
}

/* Stores a decoded segment where the placeholder says; false when it cannot stand there. */
static bool take_segment(struct request *rq, struct span placeholder, const char *text)
{
	static const struct {
		const char *name;
		size_t offset;
	} places[] = {
		{ "{org}", offsetof(struct request, path.organization) },
		{ "{project}", offsetof(struct request, path.project) },
		{ "{stack}", offsetof(struct request, path.name) },
		{ "{kind}", offsetof(struct request, kind) },
		{ "{update}", offsetof(struct request, update_id) },
		{ "{version}", offsetof(struct request, version) },
	};

	if (!*text || (span_equal(placeholder, SPAN("{kind}")) && !is_kind(text)))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (span_equal(placeholder, span_of(places[i].name)))
			*(const char **)((char *)rq + places[i].offset) = text;
	return true;
}

static bool match(struct request *rq, const char *pattern)
{
	const char *path = rq->http.path;

	while (*pattern == '/' && *path == '/') {
		struct span want = { ++pattern, strcspn(pattern, "/") };
		struct span have = { ++path, strcspn(path, "/") };
		char *text;

		if (want.length && want.data[0] == '{') {
			if (have.length > LIMIT_PATH_SEGMENT || http_unescape(rq->arena, have, false, &text) < 0 ||
			    !take_segment(rq, want, text))
				return false;
		} else if (!span_equal(want, have)) {
			return false;
		}
		pattern += want.length;
		path += have.length;
	}
	return !*pattern && !*path;
}

static void forget_path(struct request *rq)
{
	rq->path = (struct stack_path){ 0 };
	rq->kind = rq->update_id = rq->version = NULL;
}

static const struct route *find_route(struct request *rq, struct err *e)
{
	bool other_method = false;

	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		forget_path(rq);
		if (!match(rq, routes[i].path))
			continue;
		if (!strcmp(rq->http.method, routes[i].method))
			return &routes[i];
		other_method = true;
	}
	forget_path(rq);
	if (other_method)
		err_set(e, ERR_METHOD, "Method Not Allowed: %.16s is not supported here", rq->http.method);
	else
		err_set(e, ERR_NOT_FOUND, "Not Found: %.16s %.200s is not an operation of this server", rq->http.method,
			rq->http.path);
	return NULL;
}

static int no_credentials(struct err *e)
{
	return err_set(e, ERR_UNAUTHORIZED, "Unauthorized: No credentials provided or are invalid.");
}

static bool credential(struct request *rq, const char *scheme, struct span *ret_value)
{
	const char *header = http_header(&rq->http, "AUTHORIZATION");
	size_t n = strlen(scheme);

	if (!header || strncmp(header, scheme, n) || header[n] != ' ' || !header[n + 1])
		return false;
	*ret_value = span_of(header + n + 1);
	return true;
}

/* The digest is checked inside the operation's one statement; here is no query. */
static int take_update_token(struct request *rq, struct err *e)
{
	struct span value;
	unsigned char *digest;

	if (!credential(rq, "update-token", &value))
		return no_credentials(e);
	digest = arena_alloc(rq->arena, SHA256_BYTES);
	sha256(value, digest);
	rq->update_token = (struct span){ (char *)digest, SHA256_BYTES };
	return 1;
}

static int authorize(struct request *rq, enum permission wanted, struct err *e)
{
	struct span value;
	int rc;

	if (wanted == PUBLIC)
		return 1;
	if (wanted == UPDATE_TOKEN)
		return take_update_token(rq, e);
	if (!credential(rq, "token", &value))
		return no_credentials(e);
	rc = identity_by_token(rq->db, value, rq->path.organization, rq->now_us, rq->arena, &rq->caller, e);
	if (rc <= 0)
		return rc < 0 ? -1 : no_credentials(e);
	return wanted == USER ? 1 : access_check(&rq->caller, wanted, rq->path.organization, e);
}

struct attempt {
	const struct route *route;
	struct request *rq;
	struct http_reply *rp;
};

static int attempt(void *context, struct err *e)
{
	struct attempt *a = context;

	http_reply_clear(a->rp);
	return a->route->handler(a->rq, a->rp, e);
}

static int handle(struct request *rq, struct http_reply *rp, struct err *e)
{
	const struct route *route = find_route(rq, e);
	struct attempt a = { route, rq, rp };

	if (!route || authorize(rq, route->access, e) < 0)
		return -1;
	if (rq->update_id && !uuid_valid(rq->update_id))
		return err_set(e, ERR_NOT_FOUND, "Not Found: Update '%.36s' not found", rq->update_id);
	if (route->transaction == WRITE)
		return db_run(rq->db, attempt, &a, e);
	return attempt(&a, e);
}

static void log_failure(struct request *rq, int status, const struct err *e)
{
	fprintf(stderr, "level=error request=%s method=%s path=%s status=%d detail=\"%s\"\n", rq->id,
		rq->http.method ? rq->http.method : "-", rq->http.path ? rq->http.path : "-", status, e->detail);
}

static void compress(struct request *rq, struct http_reply *rp)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	struct err ignored = { 0 };

	if (rp->body_gzip || rp->status != 200 || rp->body.length < GZIP_FROM || !http_accepts_gzip(&rq->http) ||
	    gzip(buffer_span(&rp->body), &packed, &ignored) < 0)
		return;
	buffer_done(&rp->body);
	rp->body = packed;
	packed = (struct buffer)BUFFER_INIT;
	rp->body_gzip = true;
}

void api_dispatch(struct request *rq, struct http_reply *rp)
{
	struct err e = { 0 };

	rq->now_us = rq->app->now_us();
	uuid_new(rq->now_us, rq->id);
	if (http_request_init(&rq->http, &e) < 0 || handle(rq, rp, &e) < 0) {
		http_problem(rp, &e, rq->id);
		if (rp->status >= 500)
			log_failure(rq, rp->status, &e);
	}
	compress(rq, rp);
	http_reply_header(rp, "X-Pulumi-Request-ID", rq->id);
}
