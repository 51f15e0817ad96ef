/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links: addresses at which whoever has one may put, or get, one object for a while, without other credentials. Command
 * lines upload and download by them. The store's own where it gives out such (S3, Azure); otherwise of this server,
 * GET and PUT /api/objects, signed with HMAC-SHA256 over method, store, object and end, by a key that all hosts share.
 * A link says nothing about who follows it, and can be followed again until it ends: what must not change after it was
 * taken is never kept under a name that a link can put.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/app.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

#define LINK_PUT_SECONDS 3600		/* for an upload */
#define LINK_GET_SECONDS (4 * 3600)	/* for a download: an update may wait for its user before it begins */

struct link {
	const char *method;		/* GET or PUT */
	const char *store;		/* which store of the installation: policypacks */
	const char *object;		/* its key there */
	int64_t expires_at;		/* seconds since 1970 */
};

/* The store of a name: NULL when there is none, or when it is not configured. */
struct blob_store *link_store(const struct app *app, const char *name);
/*
 * Makes one for `seconds`. `base` is where clients reach this server, "https://host[:port]". The url, and the header lines
 * "name: value\n" that a request there must have, live in the arena. Not in a transaction: it may call another service, and
 * a new key counts in this process from the moment it is written.
 */
int link_make(struct app *app, const char *base, const char *method, const char *store, const char *object, int seconds,
	      struct arena *arena, const char **ret_url, const char **ret_lines, struct err *e) WARN_UNUSED;
/* 1 when this server signed it and it has not ended; 403 otherwise. `key` and `signature` are those of the address. */
int link_check(struct app *app, const struct link *link, const char *key, const char *signature, struct err *e) WARN_UNUSED;

#endif
