/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that many processes of one host leave for one that takes them: a file of fixed size that all map into their
 * memory. To leave one is an atomic addition and a copy: nobody waits, whatever the reader does. When the reader does not
 * come in time the oldest are overwritten, and it learns how many. A process that dies while it writes costs its own
 * record. What the file holds survives restarts of everybody.
 */
#ifndef TELEMETRY_RING_H
#define TELEMETRY_RING_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

#define RING_RECORD_MOST 2032	/* bytes of one record */
#define RING_RECORDS 8192	/* as many are kept: 16 MB */

struct ring;

/* Makes the file, all of it on disk, unless a good one is there. */
int ring_make(const char *path, struct err *e) WARN_UNUSED;
/* NULL when there is no file, or one of another version. */
struct ring *ring_open(const char *path);
void ring_close(struct ring *r);

/* Leaves a record of at most RING_RECORD_MOST bytes; a longer one is not left: 0. */
int ring_put(struct ring *r, struct span record);

/* --- the reader: one process at a time --- */
/*
 * Appends the next records, oldest first, until `most` bytes are there. Returns how many. They stay where they are until
 * ring_taken; `*ret_overwritten` of those before them are gone, which is said once.
 */
size_t ring_read(struct ring *r, size_t most, int64_t now_ns, struct buffer *ret_records, size_t *ret_overwritten);
/* Those of the last ring_read are done with. Returns how many among them could not be read: their writers died. */
size_t ring_taken(struct ring *r);

#endif
