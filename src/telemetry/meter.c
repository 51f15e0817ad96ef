/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/meter.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "telemetry/shared_file.h"

/* The first eight bytes of the file. A change of the bounds or of struct series changes them. */
static const char mark[SHARED_MARK] = "pulumi\0\1";

#define SERIES_COUNT 8192	/* a power of 2 */
#define SERIES_MOST 6144	/* so that a search ends soon */
#define KEY_MOST 240
#define LATER_MOST 8

/*
 * One combination of labels. `length` is written last, so that whoever sees it sees the key; a process that dies
 * before leaves a free place.
 */
struct series {
	_Atomic uint32_t length;	/* of the key; 0: free */
	uint32_t hash;
	char key[KEY_MOST];		/* name of the metric and the values of its labels, a NUL behind each */
	_Atomic uint64_t sum;
	_Atomic uint64_t buckets[METER_BUCKETS];
};

struct shared {
	char mark[SHARED_MARK];
	_Atomic uint32_t used;
	uint32_t unused;
	int64_t made_us;
	char unused_too[4096 - 24];
	struct series series[SERIES_COUNT];
};

struct key {
	uint32_t length, hash;
	char text[KEY_MOST + 8];	/* the hash reads whole words */
};

struct later {
	enum metric id;
	struct key key;
};

struct meter {
	struct shared *shared;
	int fd;
	size_t later_count;
	struct later later[LATER_MOST];
};

const struct metric_row metric_table[METRIC_COUNT] = {
#define METRIC(id, kind, name, labels, help) [METRIC_##id] = { kind, name, labels, help },
#include "telemetry/metric.def"
#undef METRIC
};

#define MS 1000000LL
const int64_t meter_bounds[METER_BUCKETS - 1] = {
	MS / 2, 1 * MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 75 * MS, 100 * MS, 250 * MS, 500 * MS, 750 * MS,
	1000 * MS, 2500 * MS, 5000 * MS, 7500 * MS, 10000 * MS, 30000 * MS, 60000 * MS,
};

const char *meter_path(struct arena *arena, const char *run_dir)
{
	return arena_printf(arena, "%s/metrics", run_dir);
}

struct meter *meter_open(const char *path)
{
	int fd;
	struct shared *shared = shared_file_open(path, mark, sizeof(*shared), &fd);
	struct meter *m;

	if (!shared)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->shared = shared;
	m->fd = fd;
	return m;
}

void meter_close(struct meter *m)
{
	if (!m)
		return;
	shared_file_close(m->shared, sizeof(*m->shared), m->fd);
	freep(&m);
}

int64_t meter_made_us(const struct meter *m)
{
	return m ? m->shared->made_us : 0;
}

int meter_make(const char *path, struct err *e)
{
	struct meter *there = meter_open(path);
	char head[offsetof(struct shared, unused_too)] = { 0 };
	struct timespec now;
	int64_t made_us;

	if (there) {
		meter_close(there);
		return 1;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	made_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	memcpy(head, mark, sizeof(mark));
	memcpy(head + offsetof(struct shared, made_us), &made_us, sizeof(made_us));
	return shared_file_make(path, (struct span){ head, sizeof(head) }, sizeof(struct shared), e);
}

static void put(struct key *k, const char *text)
{
	size_t room = KEY_MOST - k->length, n = strlen(text) + 1;

	if (n > room)
		n = room;
	if (!n)
		return;
	memcpy(k->text + k->length, text, n);
	k->length += (uint32_t)n;
	k->text[k->length - 1] = '\0';
}

/* Eight bytes at a time; what is behind the key is 0. */
static uint32_t hash_of(const char *text, uint32_t length)
{
	uint64_t h = length;

	for (uint32_t i = 0; i < length; i += 8) {
		uint64_t word;

		memcpy(&word, text + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

static void make_key(enum metric id, const char *const labels[], struct key *k)
{
	k->length = 0;
	put(k, metric_table[id].name);
	for (int i = 0; i < METER_LABELS && labels[i]; i++)
		put(k, labels[i]);
	memset(k->text + k->length, 0, 8);
	k->hash = hash_of(k->text, k->length);
}

/* The place of the key, or the free place where it would go; NULL when there is neither. */
static struct series *place(struct shared *shared, const struct key *k)
{
	for (uint32_t i = 0; i < SERIES_COUNT; i++) {
		struct series *s = &shared->series[(k->hash + i) & (SERIES_COUNT - 1)];
		uint32_t length = atomic_load_explicit(&s->length, memory_order_acquire);

		if (!length || (s->hash == k->hash && length == k->length && !memcmp(s->key, k->text, length)))
			return s;
	}
	return NULL;
}

static bool is_dropped(const struct key *k)
{
	return !strcmp(k->text, metric_table[METRIC_COUNTS_DROPPED].name);
}

/* The lock is the kernel's, which takes it back from a process that dies. */
static struct series *claim(struct meter *m, const struct key *k)
{
	struct series *s;

	if (flock(m->fd, LOCK_EX) < 0)
		return NULL;
	s = place(m->shared, k);
	if (s && !atomic_load(&s->length) && atomic_load(&m->shared->used) >= SERIES_MOST && !is_dropped(k)) {
		s = NULL;
	} else if (s && !atomic_load(&s->length)) {
		memcpy(s->key, k->text, k->length);
		s->hash = k->hash;
		atomic_fetch_add(&m->shared->used, 1);
		atomic_store_explicit(&s->length, k->length, memory_order_release);
	}
	flock(m->fd, LOCK_UN);
	return s;
}

static struct series *find(struct meter *m, const struct key *k)
{
	struct series *s = place(m->shared, k);

	return s && atomic_load_explicit(&s->length, memory_order_relaxed) ? s : claim(m, k);
}

static void add(struct meter *m, const struct key *k, uint64_t by, int bucket)
{
	struct series *s = find(m, k);

	if (!s) {
		if (!is_dropped(k))
			meter_add(m, METRIC_COUNTS_DROPPED, NO_LABELS, 1);
		return;
	}
	atomic_fetch_add_explicit(&s->sum, by, memory_order_relaxed);
	if (bucket >= 0)
		atomic_fetch_add_explicit(&s->buckets[bucket], 1, memory_order_relaxed);
}

void meter_add(struct meter *m, enum metric id, const char *const labels[], uint64_t by)
{
	struct key k;

	if (!m)
		return;
	make_key(id, labels, &k);
	add(m, &k, by, -1);
}

void meter_observe(struct meter *m, enum metric id, const char *const labels[], int64_t nanoseconds)
{
	uint64_t by = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;
	struct key k;
	int bucket = 0;

	if (!m)
		return;
	while (bucket < METER_BUCKETS - 1 && nanoseconds > meter_bounds[bucket])
		bucket++;
	make_key(id, labels, &k);
	add(m, &k, by, bucket);
}

void meter_add_on_commit(struct meter *m, enum metric id, const char *const labels[])
{
	if (!m)
		return;
	if (m->later_count == LATER_MOST) {
		meter_add(m, METRIC_COUNTS_DROPPED, NO_LABELS, 1);
		return;
	}
	m->later[m->later_count].id = id;
	make_key(id, labels, &m->later[m->later_count++].key);
}

void meter_transaction_ended(struct meter *m, bool committed)
{
	if (!m)
		return;
	for (size_t i = 0; committed && i < m->later_count; i++)
		add(m, &m->later[i].key, 1, -1);
	m->later_count = 0;
}

/* False for another metric, and for bytes that a power cut left half written. */
static bool read_key(const struct series *s, enum metric id, uint32_t length, struct key *ret_key)
{
	size_t n = strlen(metric_table[id].name) + 1;

	if (length < n || length > KEY_MOST || memcmp(s->key, metric_table[id].name, n))
		return false;
	memcpy(ret_key->text, s->key, length);
	memset(ret_key->text + length, 0, 8);
	ret_key->length = length;
	return !ret_key->text[length - 1] && hash_of(ret_key->text, length) == s->hash;
}

static void read_values(const struct series *s, const struct key *k, struct meter_values *v)
{
	const char *at = k->text, *end = k->text + k->length;

	for (int i = 0; i < METER_LABELS; i++) {
		at += at < end ? strlen(at) + 1 : 0;
		v->labels[i] = at < end ? at : "";
	}
	v->sum = atomic_load_explicit(&s->sum, memory_order_relaxed);
	for (int i = 0; i < METER_BUCKETS; i++)
		v->buckets[i] = atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
}

void meter_each(const struct meter *m, enum metric id, void (*each)(void *context, const struct meter_values *values),
		void *context)
{
	for (size_t i = 0; m && i < SERIES_COUNT; i++) {
		const struct series *s = &m->shared->series[i];
		uint32_t length = atomic_load_explicit(&s->length, memory_order_acquire);
		struct meter_values v;
		struct key k;

		if (!length || !read_key(s, id, length, &k))
			continue;
		read_values(s, &k, &v);
		each(context, &v);
	}
}
