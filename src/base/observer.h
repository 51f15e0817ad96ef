/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever wants to know how long an operation took. The layers that do the work call it and know nothing of
 * what becomes of it; a zeroed observer is nobody.
 */
#ifndef BASE_OBSERVER_H
#define BASE_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct observer {
	/* `name` says what was done, as a label; valid during the call. */
	void (*done)(void *context, const char *name, int64_t nanoseconds, bool failed);
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
		o->done(o->context, name, clock_ns() - began_ns, failed);
}

static inline void observe_transaction(const struct observer *o, bool committed)
{
	if (o->transaction)
		o->transaction(o->context, committed);
}

#endif
