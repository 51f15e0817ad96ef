/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/shared_file.h"

#define SLOTS 4096	/* twice the most responders and more: during a reload there are two for each */

static const char mark[SHARED_MARK] = "watch02";

struct slot {
	int64_t since_us;	/* 0: it waits */
	int64_t pid;
};

struct shared {
	char mark[SHARED_MARK];
	unsigned char proven[WATCH_DIGEST];	/* one half written is nobody's */
	struct slot slots[SLOTS];
};

struct watch {
	struct shared *shared;
	struct slot *own;	/* of this responder; NULL in pulumi-serve, and when nobody watches */
	int fd;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const char *watch_path(struct arena *arena, const char *run_dir)
{
	return arena_printf(arena, "%s/responders", run_dir);
}

int watch_make(const char *run_dir, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	return shared_file_make(watch_path(&arena, run_dir), (struct span){ mark, sizeof(mark) }, sizeof(struct shared), e);
}

static struct slot *own_slot(struct shared *shared)
{
	int64_t pid = getpid();

	for (size_t i = 0; i < SLOTS; i++)
		if (__atomic_load_n(&shared->slots[i].pid, __ATOMIC_RELAXED) == pid)
			return &shared->slots[i];
	return NULL;
}

struct watch *watch_open(const char *run_dir)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct shared *shared;
	struct watch *w;
	int fd;

	shared = shared_file_open(watch_path(&arena, run_dir), mark, sizeof(*shared), &fd);
	if (!shared)
		return NULL;
	w = xmalloc(sizeof(*w));
	*w = (struct watch){ shared, own_slot(shared), fd };
	return w;
}

void watch_close(struct watch *w)
{
	if (w)
		shared_file_close(w->shared, sizeof(*w->shared), w->fd);
	free(w);
}

void watch_claim(struct watch *w, size_t slot)
{
	if (!w || slot >= SLOTS)
		return;
	/* One that died long ago may have had the same pid. */
	for (struct slot *other = own_slot(w->shared); other; other = own_slot(w->shared))
		__atomic_store_n(&other->pid, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&w->shared->slots[slot].since_us, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&w->shared->slots[slot].pid, getpid(), __ATOMIC_RELEASE);
}

int64_t watch_working_us(const struct watch *w, size_t slot, pid_t pid)
{
	int64_t since_us;

	if (!w || slot >= SLOTS || __atomic_load_n(&w->shared->slots[slot].pid, __ATOMIC_ACQUIRE) != pid)
		return 0;
	since_us = __atomic_load_n(&w->shared->slots[slot].since_us, __ATOMIC_RELAXED);
	return since_us ? now_us() - since_us : 0;
}

void watch_works(struct watch *w)
{
	if (w && w->own)
		__atomic_store_n(&w->own->since_us, now_us(), __ATOMIC_RELAXED);
}

void watch_waits(struct watch *w)
{
	if (w && w->own)
		__atomic_store_n(&w->own->since_us, 0, __ATOMIC_RELAXED);
}

bool watch_is_proven(const struct watch *w, const unsigned char digest[WATCH_DIGEST])
{
	return w && !memcmp(w->shared->proven, digest, WATCH_DIGEST);
}

void watch_prove(struct watch *w, const unsigned char digest[WATCH_DIGEST])
{
	if (w)
		memcpy(w->shared->proven, digest, WATCH_DIGEST);
}
