/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/ring.h"

#include <stdatomic.h>
#include <stdio.h>

#include "telemetry/shared_file.h"

/* The first eight bytes of the file. A change of its shape changes them. */
static const char mark[SHARED_MARK] = "pulumi\1\1";

#define DEAD_NS 2000000000LL	/* who has not written its record by then has died */

/* `number` counts the records from 1 on; it is 0 while the place is written, and set last. */
struct place {
	_Atomic uint64_t number;
	uint32_t length, check;
	char bytes[RING_RECORD_MOST];
};

struct shared {
	char mark[SHARED_MARK];
	_Atomic uint64_t written;	/* records that somebody has begun to write */
	_Atomic uint64_t taken;		/* those that the reader is done with; only it changes this */
	char unused[4096 - 24];
	struct place places[RING_RECORDS];
};

_Static_assert(sizeof(struct place) == 2048, "a place is half a page");

struct ring {
	struct shared *shared;
	int fd;
	uint64_t next;			/* of the last read: where the one after it begins */
	size_t broken;			/* of the last read: could not be read */
	uint64_t begun;			/* records that had been begun at a time when one was missing */
	int64_t begun_ns;		/* that time */
};

struct ring *ring_open(const char *path)
{
	int fd;
	struct shared *shared = shared_file_open(path, mark, sizeof(*shared), &fd);
	struct ring *r;

	if (!shared)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->shared = shared;
	r->fd = fd;
	return r;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	shared_file_close(r->shared, sizeof(*r->shared), r->fd);
	freep(&r);
}

int ring_make(const char *path, struct err *e)
{
	struct ring *there = ring_open(path);

	if (there) {
		ring_close(there);
		return 1;
	}
	return shared_file_make(path, (struct span){ mark, sizeof(mark) }, sizeof(struct shared), e);
}

/* Of the bytes and their number: a place that two wrote at once, or that a power cut left half written, does not fit. */
static uint32_t check_of(uint64_t number, const char *bytes, uint32_t length)
{
	uint64_t h = number ^ ((uint64_t)length << 48), word;

	for (uint32_t i = 0; i < length; i += 8) {
		word = 0;
		memcpy(&word, bytes + i, length - i < 8 ? length - i : 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

int ring_put(struct ring *r, struct span record)
{
	uint64_t number;
	struct place *p;

	if (record.length > RING_RECORD_MOST)
		return 0;
	number = atomic_fetch_add(&r->shared->written, 1) + 1;
	p = &r->shared->places[(number - 1) % RING_RECORDS];
	atomic_store(&p->number, 0);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(p->bytes, record.data, record.length);
	p->length = (uint32_t)record.length;
	p->check = check_of(number, p->bytes, p->length);
	atomic_store_explicit(&p->number, number, memory_order_release);
	return 1;
}

enum found { FOUND, NOT_YET, LOST };

/* A copy is checked, not the place: somebody may write there meanwhile. */
static enum found read_place(const struct place *p, uint64_t number, struct buffer *ret_records)
{
	uint64_t there = atomic_load_explicit(&p->number, memory_order_acquire);
	uint32_t length = p->length, check = p->check;
	char *to;

	if (there != number)
		return there > number ? LOST : NOT_YET;
	if (length > RING_RECORD_MOST)
		return LOST;
	to = buffer_reserve(ret_records, length);
	memcpy(to, p->bytes, length);
	if (check_of(number, to, length) != check)
		return LOST;
	ret_records->length += length;
	ret_records->data[ret_records->length] = '\0';
	return FOUND;
}

/* Whether to wait for a record whose writer has begun: a moment, not longer, and together for all that are missing. */
static bool may_come(struct ring *r, uint64_t number, uint64_t written, int64_t now_ns)
{
	if (number > r->begun) {
		r->begun = written;
		r->begun_ns = now_ns;
	}
	return now_ns - r->begun_ns < DEAD_NS;
}

size_t ring_read(struct ring *r, size_t most, int64_t now_ns, struct buffer *ret_records, size_t *ret_overwritten)
{
	uint64_t written = atomic_load(&r->shared->written), taken = atomic_load(&r->shared->taken);
	uint64_t oldest = written > RING_RECORDS ? written - RING_RECORDS : 0;
	size_t found = 0, start = ret_records->length;

	r->next = taken > written ? written : taken < oldest ? oldest : taken;
	r->broken = 0;
	*ret_overwritten = r->next > taken ? (size_t)(r->next - taken) : 0;
	atomic_store(&r->shared->taken, r->next);
	for (; r->next < written && ret_records->length - start < most; r->next++) {
		enum found one = read_place(&r->shared->places[r->next % RING_RECORDS], r->next + 1, ret_records);

		if (one == NOT_YET && may_come(r, r->next + 1, written, now_ns))
			break;
		found += one == FOUND;
		r->broken += one != FOUND;
	}
	return found;
}

size_t ring_taken(struct ring *r)
{
	atomic_store(&r->shared->taken, r->next);
	return r->broken;
}
