/* SPDX-License-Identifier: Apache-2.0 */
/* One API request: the HTTP request with what the dispatcher found out before the handler runs. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "base/app.h"
#include "http/reply.h"
#include "http/request.h"
#include "json/fields.h"
#include "stack/stack.h"

struct route;

#define PATH_VALUES 8

struct request {
	struct http_request http;
	struct app *app;
	struct db *db;
	struct arena *arena;
	int64_t now_us, began_ns;	/* the second of a clock that never steps */
	const struct route *route;	/* its row of routes.def; NULL: it has none */
	char id[UUID_TEXT];		/* X-Pulumi-Request-ID */
	struct caller caller;		/* empty for public rows and update tokens */
	struct span update_token;	/* digest of the lease token; rows with UPDATE_TOKEN only */
	struct stack_path path;
	struct stack stack;		/* what the path names; rows with STACK only */
	bool unchanged;			/* set by a handler that found nothing to do: no row for the audit log */
	const char *audit_detail;	/* what the audit log says besides the path; NULL: nothing */
	const char *kind, *update_id, *version, *tag, *program, *user, *token, *invite, *issuer, *policy, *pack, *group;	/* from the path; NULL when it has none */
};

/* Reads the body by a field table. */
int request_body(struct request *rq, const struct field *fields, void *ret_body, struct err *e) WARN_UNUSED;
/* The id behind which a list goes on, out of continuationToken; untouched on the first page. 400 when it is none. */
int request_page(struct request *rq, const char **ret_id, struct err *e) WARN_UNUSED;
/* The whole body as scanned JSON, an object, at most PULUMI_MAX_BODY_BYTES. */
int request_document(struct request *rq, struct span *ret_document, struct err *e) WARN_UNUSED;
/*
 * Where clients reach this server, "https://host[:port]": PULUMI_API_DOMAIN, with the scheme that it says, or else with the one
 * that the request came with, here or at a proxy in front (X-Forwarded-Proto).
 */
const char *request_base(struct request *rq);
/* Answers 200 with the struct, or with {}. */
int reply_json(struct http_reply *rp, const struct field *fields, const void *structure);
int reply_empty(struct http_reply *rp);
/* Answers 204. */
int reply_nothing(struct http_reply *rp);
/* Answers 200 with what the body holds and a closing brace. */
int reply_closed(struct http_reply *rp);
/* The version of the command line in User-Agent, "" when it is another client. */
const char *request_client(struct request *rq);

#endif
