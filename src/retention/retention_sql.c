/* SPDX-License-Identifier: Apache-2.0 */
/* all tenants, every statement here: jobs of the installation remove what belongs to nobody any more. */
#include "retention/retention_sql.h"

const struct db_column retained_id_columns[] = { DB_COLUMN(retained, id, COLUMN_TEXT), { 0 } };
const struct db_column retained_sha256_columns[] = { DB_COLUMN(retained, sha256, COLUMN_BYTES), { 0 } };

/* all tenants: the journal is compacted. The inner list is read off the primary key alone. */
const struct stmt JOURNALS_ENDED = STMT("retention.journals_ended",
	"SELECT j.update_id AS id FROM (SELECT DISTINCT update_id FROM journal_batches) j "
	"JOIN updates u ON u.id = j.update_id WHERE u.ended_at < ? LIMIT 100");

/* all tenants: the updates were found to have ended */
const struct stmt JOURNALS_DELETE = STMT("retention.journals_delete",
	"DELETE FROM journal_batches WHERE update_id IN (" DB_PLACES_TEXT ") ORDER BY update_id, first_sequence LIMIT 200");

/* all tenants: tokens of users, of organizations, and those of identity providers alike */
const struct stmt TOKENS_DELETE_EXPIRED = STMT("retention.tokens_delete_expired",
	"DELETE FROM access_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT 500");

/* all tenants: their time has passed */
const struct stmt REFRESH_TOKENS_DELETE_EXPIRED = STMT("retention.refresh_tokens_delete_expired",
	"DELETE FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT 500");

/* all tenants: the time of the deletion decides. Reads an index from end to end, once an hour. */
const struct stmt STACK_PURGE_NEXT = STMT("retention.stack_next",
	"SELECT id FROM stacks WHERE deleted_at < ? ORDER BY organization_id, deleted_at, id LIMIT 1");

const struct db_column retained_stack_columns[] = {
	DB_COLUMN(retained, id, COLUMN_TEXT),
	DB_COLUMN(retained, organization_id, COLUMN_TEXT),
	DB_COLUMN(retained, project, COLUMN_TEXT),
	DB_COLUMN(retained, name, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: the stack was found to be deleted */
const struct stmt STACK_PURGE_LOCK = STMT("retention.stack_lock",
	"SELECT id, organization_id, project, name FROM stacks WHERE id = ? AND deleted_at < ? FOR UPDATE");

/*
 * Without an organization nobody sees the stack and nobody can restore it.
 * all tenants: the stack was locked
 */
const struct stmt STACK_PURGE_TAKE = STMT("retention.stack_take",
	"UPDATE stacks SET organization_id = '' WHERE id = ?");

/* all tenants: the stack was locked */
const struct stmt STACK_PURGE_TAGS = STMT("retention.stack_tags",
	"DELETE FROM stack_tags WHERE stack_id = ?");

/* all tenants: the stack was locked */
const struct stmt STACK_PURGE_KEY = STMT("retention.stack_key",
	"DELETE FROM stack_keys WHERE stack_id = ?");

/* all tenants: the stack was locked */
const struct stmt STACK_PURGE_UPDATE_LOCK = STMT("retention.stack_update_lock",
	"DELETE FROM stack_locks WHERE stack_id = ?");

/* all tenants: the stack was locked. Journals, events and lines of text go with their updates. */
const struct stmt STACK_PURGE_UPDATES = STMT("retention.stack_updates",
	"DELETE FROM updates WHERE stack_id = ? ORDER BY version LIMIT 20");

/* all tenants: the stack was locked */
const struct stmt STACK_PURGE_CHECKPOINTS = STMT("retention.stack_checkpoints",
	"DELETE FROM checkpoints WHERE stack_id = ? ORDER BY version LIMIT 1000");

/* all tenants: the stack was locked */
const struct stmt STACK_PURGE_ROW = STMT("retention.stack_row",
	"DELETE FROM stacks WHERE id = ? AND organization_id = ''");

/* all tenants: an object names its stack. What the running update saved last has no checkpoint of its own yet. */
const struct stmt OBJECTS_OF_STACK = STMT("retention.objects_of_stack",
	"SELECT sha256 AS sha256 FROM checkpoints WHERE stack_id = ? "
	"UNION ALL SELECT u.checkpoint_sha256 AS sha256 FROM stack_locks l JOIN updates u ON u.id = l.update_id "
	"WHERE l.stack_id = ? AND u.checkpoint_sha256 IS NOT NULL");

/*
 * A row names it, or one that arrives now may. An update that ended long ago takes no more events.
 * all tenants: an object names its stack and its update
 */
const struct stmt OBJECT_OF_EVENTS = STMT("retention.object_of_events",
	"SELECT u.id AS id FROM updates u "
	"LEFT JOIN event_batches e ON e.update_id = u.id AND e.digest = ? AND e.in_object = 1 "
	"WHERE u.id = ? AND u.stack_id = ? AND (e.update_id IS NOT NULL OR u.ended_at IS NULL OR u.ended_at > ?) LIMIT 1");

/* all tenants: an object names its stack and its update */
const struct stmt OBJECT_OF_CONFIGURATION = STMT("retention.object_of_configuration",
	"SELECT id FROM updates WHERE id = ? AND stack_id = ? AND config_sha256 = ?");

/* all tenants: an object names its organization and its text */
const struct stmt OBJECT_OF_POLICY = STMT("retention.object_of_policy",
	"SELECT id FROM auth_policies WHERE policies_object_id = ? AND organization_id = ? AND policies_sha256 = ?");

/* all tenants: an object names its update */
const struct stmt OBJECT_OF_JOURNAL = STMT("retention.object_of_journal",
	"SELECT digest AS sha256 FROM journal_batches WHERE update_id = ? AND digest = ? LIMIT 1");

/* all tenants: whoever began it has not completed it for a day, and its address has ended */
const struct stmt PACK_UPLOADS_ABANDON = STMT("retention.pack_uploads_abandon",
	"DELETE FROM policy_pack_versions WHERE status = 'uploading' AND created_at < ? ORDER BY created_at LIMIT 1000");

const struct db_column retained_pack_columns[] = {
	DB_COLUMN(retained, sha256, COLUMN_BYTES),
	DB_COLUMN(retained, uploading, COLUMN_BOOL),
	{ 0 },
};

/* all tenants: an object names its version */
const struct stmt OBJECT_OF_PACK = STMT("retention.object_of_pack",
	"SELECT sha256, status = 'uploading' AS uploading FROM policy_pack_versions WHERE id = ?");
