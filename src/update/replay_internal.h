/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the replay share: replay_order.c sorts entries, replay.c adds them, document.c writes, reference.c repairs. */
#ifndef UPDATE_REPLAY_INTERNAL_H
#define UPDATE_REPLAY_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "update/integrity.h"
#include "update/journal_entry.h"
#include "update/replay.h"

struct resource {
	struct span text;
	char *owned;		/* the text, unless it lies in the base */
	bool delete, pending_replacement, removed;
};

/* A resource of the base with what the journal did to it. */
struct base_resource {
	struct span text;
	bool removed, delete, pending_replacement, replaced;
	struct resource replacement;
};

struct operation {
	int64_t id;
	int64_t fresh;		/* index of the resource that it made, -1: none */
	bool open;
	struct span begun;	/* JSON of the operation; data NULL: not recorded as pending */
	char *owned;		/* what was begun, when its batch has gone */
};

/* An entry that waits until every smaller sequence was seen. */
struct waiting {
	struct journal_entry entry;
	struct span text;
	char *owned;		/* the text, when its batch has gone; NULL: it lies in the last batch */
};

struct replay_order {
	struct waiting *waiting, *incoming;	/* by sequence; of the batch that is being read */
	size_t waiting_count, waiting_room, incoming_count, incoming_room;
};

struct base {
	struct buffer document;
	char *owned;		/* an entry, when the base came in one */
	struct base_resource *resources;
	size_t count;
	struct span secrets_providers, metadata, snippets, extensions, pending_operations;	/* JSON or NULL data */
};

struct replay {
	struct replay_options options;
	struct arena arena;
	struct base base;
	struct resource *fresh;
	size_t fresh_count, fresh_room;
	struct operation **operations;	/* in order of their begin */
	size_t operation_count, operation_room;
	struct map by_operation;
	struct map extensions;		/* decoded reference -> struct span *, JSON */
	struct operation **borrowing;	/* that began since the last batch went */
	size_t borrowing_count, borrowing_room;
	struct replay_order order;
	int64_t last_sequence;
	bool has_refresh, byte_string;
};

/* A resource that the new state has. */
struct survivor {
	struct span text;
	bool delete, pending_replacement, has_aliases;
	struct span urn, parent;	/* decoded; parent as it will be */
};

struct survivors {
	struct survivor *items;
	size_t count;
	struct map aliases;	/* decoded URN -> struct span * */
	const char *problem;	/* why the aliases cannot be resolved; NULL: they can */
	unsigned features;
	bool checked;		/* the rules of update/integrity.h are */
	bool edited;		/* references or marks may change: checked when written, else when collected */
	struct integrity integrity;
};

/* Room for one more element: returns the array, grown when it was full. */
void *replay_room(void *items, size_t count, size_t *room, size_t size);
/* Gives the text memory of its own, which *ret_owned frees; leaves absent text alone. */
void replay_own(struct span *text, char **ret_owned);
/* What the entry means. The caller's text stays where it is until the operations in r->borrowing have been seen to. */
int replay_add(struct replay *r, const struct journal_entry *entry, struct err *e) WARN_UNUSED;
void replay_order_done(struct replay_order *o);
/* Reads the state out of a deployment object. */
int replay_read_base(struct base *base, struct span deployment, struct err *e) WARN_UNUSED;
void replay_base_done(struct base *base);

/* Writes the whole document; `final`: with the integrity check. */
int replay_write(struct replay *r, struct sink *out, bool final, int64_t *ret_resources, struct err *e) WARN_UNUSED;

/* After refreshes: parents that are gone. After that: what aliases stand for. */
void references_prepare(struct replay *r, struct survivors *s);
/* Appends the resource, repaired and normalized, to `out` when anything in it changes: 1; 0: it stays as it is. */
int references_apply(struct replay *r, const struct survivors *s, const struct survivor *each, const struct map *seen,
		     struct buffer *out, struct arena *scratch);
/* The URN that stands for `urn` now. */
struct span references_resolve(const struct survivors *s, struct span urn);

#endif
