/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever wants to know what was done and how long it took. The layers that do the work call it and know nothing of
 * what becomes of it; a zeroed observer is nobody.
 */
#ifndef BASE_OBSERVER_H
#define BASE_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Texts are valid during the call. */
struct observation {
	const char *name;		/* what was done, as a label; of a call over HTTP its method */
	int64_t began_ns, ended_ns;	/* of clock_ns */
	bool failed;
	const char *server;		/* host of another service that was called; NULL: none */
	int port, status;		/* its port, and the status of its answer over HTTP; 0: none */
};

struct observer {
	void (*done)(void *context, const struct observation *what);
	/* A transaction ended: what belongs to it came true, or did not. May be NULL. */
	void (*transaction)(void *context, bool committed);
	void *context;
};

/* When it begins; 0 and no call of the clock when nobody watches. */
static inline int64_t observe_begin(const struct observer *o)
{
	return o->done ? clock_ns() : 0;
}

static inline void observe_end(const struct observer *o, const char *name, int64_t began_ns, bool failed)
{
	if (o->done)
		o->done(o->context, &(struct observation){ .name = name, .began_ns = began_ns, .ended_ns = clock_ns(), .failed = failed });
}

static inline void observe_transaction(const struct observer *o, bool committed)
{
	if (o->transaction)
		o->transaction(o->context, committed);
}

#endif
