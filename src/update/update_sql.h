/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_UPDATE_SQL_H
#define UPDATE_UPDATE_SQL_H

#include "update/update.h"

/* Where an update is, for sentences. */
struct update_place {
	char *organization, *project, *stack;
};

struct checkpoint_row {
	struct span sha256;
};

struct journal_batch_row {
	int64_t first_sequence, received_at;
	struct span digest, body;
	bool gzip;
};

struct event_batch_row {
	int64_t first_sequence, last_sequence;
	struct span digest, body;
	bool gzip, in_object;
};

extern const struct stmt UPDATE_CREATE, UPDATE_BY_ID, UPDATE_LOCK_BY_ID, UPDATE_BY_TOKEN, UPDATE_LOCK_BY_TOKEN,
	UPDATE_HOLDER, UPDATE_PLACE, UPDATE_RUN, UPDATE_RENEW, UPDATE_SAVE_CHECKPOINT, UPDATE_END, UPDATE_REVOKE, UPDATE_SET_CHANGES, UPDATE_HISTORY,
	LOCK_TAKE, LOCK_RELEASE, CHECKPOINT_CREATE, CHECKPOINT_BY_VERSION, STACK_SET_STATE, STACK_SET_UPDATE,
	UPDATE_RUNNING, UPDATE_LAPSED, UPDATE_LOCK_LAPSED, UPDATE_PREVIEWS, UPDATE_PREVIEWS_ASCENDING, UPDATE_PREVIEW, EVENT_BATCH_APPEND, EVENT_BATCHES,
	JOURNAL_BATCH_APPEND, JOURNAL_BATCH_APPEND_OBJECT, JOURNAL_BATCH_FIND, JOURNAL_BATCHES, JOURNAL_BATCH_LAST,
	UPDATES_MOVE, UPDATE_LOG_APPEND, UPDATE_LOG;
extern const struct db_column update_columns[], update_place_columns[], update_lapsed_columns[], update_info_columns[],
	checkpoint_columns[], event_batch_columns[],
	journal_sequence_columns[], journal_batch_columns[], journal_received_columns[],
	update_log_columns[];

#endif
