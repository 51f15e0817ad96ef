/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type. Whoever fails fills it; it travels up as the last parameter and only
 * http/problem.c turns its kind into a status. `message` is for the client: what was wrong, with
 * which value, what to do. `detail` is for the log and never leaves the process.
 * The first failure wins: setting an error that is already set changes nothing.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_BAD_REQUEST,	/* 400 */
	ERR_UNAUTHORIZED,	/* 401 */
	ERR_FORBIDDEN,		/* 403 */
	ERR_NOT_FOUND,		/* 404 */
	ERR_METHOD,		/* 405 */
	ERR_CONFLICT,		/* 409 */
	ERR_TOO_LARGE,		/* 413 */
	ERR_MEDIA_TYPE,		/* 415 */
	ERR_TOO_MANY,		/* 429 */
	ERR_INTERNAL,		/* 500 */
	ERR_UNAVAILABLE,	/* 503: a dependency is away; the client may try again */
	ERR_RETRY,		/* never sent: the transaction lost a race, run it again */
	ERR_KIND_COUNT
};

struct err {
	enum err_kind kind;
	char message[1024];
	char detail[512];
};

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Sets `e` unless it is set already. Always returns -1, so that callers can `return err_set(…)`. */
int err_set(struct err *e, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* An internal failure: the client is told no more than that; the text goes to the log. */
int err_internal(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* A dependency (database, object store, key service) is away: 503, the text goes to the log. */
int err_unavailable(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets the error, so that the struct can be used for another attempt. */
void err_clear(struct err *e);

#endif
