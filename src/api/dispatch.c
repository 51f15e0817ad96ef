/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch.h"

#include <stdio.h>

#include "api/measure.h"
#include "api/route.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/gzip.h"
#include "http/problem.h"
#include "identity/token.h"

#define GZIP_FROM 1024	/* smaller answers travel as they are */

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

static int find_caller(struct request *rq, unsigned flags, struct span bearer, struct err *e)
{
	if (flags & STACK)
		return stack_by_token(rq->db, bearer, &rq->path, rq->now_us, rq->arena, &rq->caller, &rq->stack, e);
	return identity_by_token(rq->db, bearer, rq->path.organization, rq->now_us, rq->arena, &rq->caller, e);
}

static int authorize(struct request *rq, const struct route *route, struct err *e)
{
	enum permission wanted = route->access;
	struct span value;
	int rc;

	if (wanted == PUBLIC)
		return 1;
	if (wanted == UPDATE_TOKEN)
		return take_update_token(rq, e);
	if (!credential(rq, "token", &value))
		return no_credentials(e);
	rc = find_caller(rq, route->flags, value, e);
	if (rc <= 0)
		return rc < 0 ? -1 : no_credentials(e);
	token_note_use(rq->db, &rq->caller, rq->now_us);
	return wanted == USER ? 1 : access_check(&rq->caller, wanted, rq->path.organization, e);
}

struct attempt {
	const struct route *route;
	struct request *rq;
	struct http_reply *rp;
};

static int record(const struct attempt *a, struct err *e)
{
	struct request *rq = a->rq;
	const char *description = rq->audit_detail ? arena_printf(rq->arena, "%s: %s", rq->http.path, rq->audit_detail) :
						     rq->http.path;
	struct audit_event event = { rq->caller.organization_id, rq->caller.user_id, rq->caller.token_id, a->route->name,
				     description, http_variable(&rq->http, "REMOTE_ADDR"), rq->now_us };

	return audit_record(rq->db, &event, e);
}

static int attempt(void *context, struct err *e)
{
	struct attempt *a = context;

	http_reply_clear(a->rp);
	a->rq->unchanged = false;
	if (a->route->handler(a->rq, a->rp, e) < 0)
		return -1;
	return a->route->flags & AUDIT && !a->rq->unchanged ? record(a, e) : 1;
}

static int handle(struct request *rq, struct http_reply *rp, struct err *e)
{
	const struct route *route = route_find(rq, e);
	struct attempt a = { route, rq, rp };

	rq->route = route;
	if (!route || authorize(rq, route, e) < 0)
		return -1;
	if (route->flags & STACK && !rq->stack.id)
		return stack_not_found(&rq->path, e);
	if (rq->update_id && !uuid_valid(rq->update_id))
		return err_set(e, ERR_NOT_FOUND, "Not Found: Update '%.36s' not found", rq->update_id);
	if (route->flags & WRITE)
		return db_run(rq->db, attempt, &a, e);
	return attempt(&a, e);
}

static void log_failure(struct request *rq, int status, const struct err *e)
{
	fprintf(stderr, "level=error request=%s method=%s path=%s status=%d detail=\"%s\"\n", rq->id,
		rq->http.method ? rq->http.method : "-", rq->http.path ? rq->http.path : "-", status, e->detail);
}

static bool is_compressed(const struct http_reply *rp)
{
	return rp->body_gzip || (rp->content_type && !strcmp(rp->content_type, "application/gzip"));
}

static void compress(struct request *rq, struct http_reply *rp)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	struct err ignored = { 0 };

	if (is_compressed(rp) || rp->status != 200 || rp->body.length < GZIP_FROM || !http_accepts_gzip(&rq->http) ||
	    gzip(buffer_span(&rp->body), &packed, &ignored) < 0)
		return;
	if (rp->secret)
		explicit_bzero(rp->body.data, rp->body.length);
	buffer_done(&rp->body);
	rp->body = packed;
	packed = (struct buffer)BUFFER_INIT;
	rp->body_gzip = true;
}

void api_dispatch(struct request *rq, struct http_reply *rp)
{
	struct err e = { 0 };

	rq->began_ns = clock_ns();
	rq->now_us = rq->app->now_us();
	uuid_new(rq->now_us, rq->id);
	api_measure_begin(rq);
	if (http_request_init(&rq->http, &e) < 0 || handle(rq, rp, &e) < 0) {
		http_problem(rp, &e, rq->id);
		if (rp->status >= 500)
			log_failure(rq, rp->status, &e);
	}
	compress(rq, rp);
	http_reply_header(rp, "X-Pulumi-Request-ID", rq->id);
}
