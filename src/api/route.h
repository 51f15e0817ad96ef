/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of routes.def as data. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "access/access.h"
#include "api/request.h"

typedef int api_handler(struct request *rq, struct http_reply *rp, struct err *e);

enum route_flag { PLAIN = 0, WRITE = 1, AUDIT = 2, STACK = 4 };

struct route {
	const char *method, *path, *name;
	api_handler *handler;
	enum permission access;
	unsigned flags;
	const struct field *body, *reply;
	const char *query, *summary;
	bool alias;
};

extern const struct route routes[];
extern const size_t route_count;

/* The row of an operation, whose placeholders are written {}: "/api/orgs/{}/hooks". NULL when it is not served. */
const struct route *route_of(const char *method, const char *path);

/* The row for the request; fills what its path names. NULL with 404 or 405. */
const struct route *route_find(struct request *rq, struct err *e);

#define OP(method, path, name, access, flags, body, reply, query, summary)                         \
	api_handler api_##name;                                                                    \
	extern const struct field body##_fields[], reply##_fields[];
#define ALIAS(method, path, name, access, flags, body, reply, query, summary)
#include "api/routes.def"
#undef OP
#undef ALIAS

#endif
