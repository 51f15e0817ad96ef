/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of an update's journal, as spans of the text that it was sent in. */
#ifndef UPDATE_JOURNAL_ENTRY_H
#define UPDATE_JOURNAL_ENTRY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "json/scan.h"

enum journal_entry_kind {
	ENTRY_BEGIN,
	ENTRY_SUCCESS,
	ENTRY_FAILURE,
	ENTRY_REFRESH_SUCCESS,
	ENTRY_OUTPUTS,
	ENTRY_WRITE,
	ENTRY_SECRETS_MANAGER,
	ENTRY_REBUILT_BASE_STATE,
	ENTRY_EXTENSION_PARAMETERIZE,
	ENTRY_SNIPPETS,
	ENTRY_KIND_COUNT
};

struct journal_entry {
	enum journal_entry_kind kind;
	int64_t sequence, operation;
	/* old: index into the base's resources; new: an operation that made a resource. -1: none */
	int64_t remove_old, remove_new, pending_replacement_old, pending_replacement_new, delete_old, delete_new;
	/* JSON; data NULL when absent */
	struct span state, begun, secrets_provider, new_snapshot, snippets, extension_ref, extension;
	bool is_refresh, requires_byte_string;
};

/* Reads an element of "entries" out of scanned JSON: 400 with the member that is wrong. */
int journal_entry_read(struct span json, struct journal_entry *ret_entry, struct err *e) WARN_UNUSED;
/* Reads the next element on the walk through "entries", all in one pass; *ret_text is all of it. 0: there is none. */
int journal_entry_next(struct scan *list, struct span *ret_text, struct journal_entry *ret_entry,
		       struct err *e) WARN_UNUSED;
/* The text at `from` was copied to `to`: the entry is there now. */
void journal_entry_move(struct journal_entry *entry, const char *from, const char *to);

#endif
