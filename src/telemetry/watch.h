/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Since when each responder of a host works on the request that it has: a file of the run folder that pulumi-serve makes and the
 * responders write to, so that one that hangs is noticed and replaced. To write costs a look at the clock, no call. What waits for the
 * web server does not work: a slow client is no reason to end anything.
 */
#ifndef TELEMETRY_WATCH_H
#define TELEMETRY_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"

#define WATCH_DIGEST 32	/* bytes */

struct watch;

/* Makes the file anew. */
int watch_make(const char *run_dir, struct err *e) WARN_UNUSED;
/* NULL when there is none: nothing is watched then, and every other call does nothing. */
struct watch *watch_open(const char *run_dir);
void watch_close(struct watch *w);

/* For pulumi-serve. In the child, before it becomes a responder: the slot is that of this process from now on. */
void watch_claim(struct watch *w, size_t slot);
/* Microseconds for which the process of the slot has been working; 0 when it waits, or is another process. */
int64_t watch_working_us(const struct watch *w, size_t slot, pid_t pid);

/* For the responder: it has something to do, or waits for the web server. */
void watch_works(struct watch *w);
void watch_waits(struct watch *w);

/* Settings, by their digest, with which a responder of this pulumi-serve has started: src/start/proven.h. */
bool watch_is_proven(const struct watch *w, const unsigned char digest[WATCH_DIGEST]);
void watch_prove(struct watch *w, const unsigned char digest[WATCH_DIGEST]);

#endif
