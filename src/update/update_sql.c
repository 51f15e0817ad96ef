/* SPDX-License-Identifier: Apache-2.0 */
#include "update/update_sql.h"

#include "claim/mark_sql.h"

const struct db_column update_columns[] = {
	DB_COLUMN(update, id, COLUMN_TEXT),
	DB_COLUMN(update, organization_id, COLUMN_TEXT),
	DB_COLUMN(update, stack_id, COLUMN_TEXT),
	DB_COLUMN(update, kind, COLUMN_TEXT),
	DB_COLUMN(update, status, COLUMN_TEXT),
	DB_COLUMN(update, requested_by, COLUMN_TEXT),
	DB_COLUMN(update, requested_by_id, COLUMN_TEXT),
	DB_COLUMN(update, client, COLUMN_TEXT),
	DB_COLUMN(update, preview, COLUMN_BOOL),
	DB_COLUMN(update, version, COLUMN_INT),
	DB_COLUMN(update, journal_version, COLUMN_INT),
	DB_COLUMN(update, base_checkpoint_version, COLUMN_INT),
	DB_COLUMN(update, checkpoint_sha256, COLUMN_BYTES),
	DB_COLUMN(update, checkpoint_bytes, COLUMN_INT),
	DB_COLUMN(update, checkpoint_resources, COLUMN_INT),
	DB_COLUMN(update, checkpoint_sequence, COLUMN_INT),
	DB_COLUMN(update, started_at, COLUMN_TIME),
	DB_COLUMN(update, lease_expires_at, COLUMN_TIME),
	DB_COLUMN(update, heard_at, COLUMN_TIME),
	{ 0 },
};

/* A user, or the organization whose own token it was; asked for only then, and not locked with the update. */
#define REQUESTED_BY                                                                               \
	"COALESCE(r.login, (SELECT o.login FROM organizations o WHERE o.id = u.requested_by)) AS requested_by"

#define UPDATE_ROW                                                                                 \
	"SELECT u.id AS id, u.organization_id AS organization_id, u.stack_id AS stack_id, u.kind AS kind, " \
	"u.status AS status, " REQUESTED_BY ", r.id AS requested_by_id, u.client AS client, " \
	"u.preview AS preview, COALESCE(u.version, -1) AS version, u.journal_version AS journal_version, " \
	"COALESCE(u.base_checkpoint_version, -1) AS base_checkpoint_version, "                     \
	"u.checkpoint_sha256 AS checkpoint_sha256, u.checkpoint_bytes AS checkpoint_bytes, "       \
	"u.checkpoint_resources AS checkpoint_resources, u.checkpoint_sequence AS checkpoint_sequence, " \
	"u.started_at AS started_at, u.lease_expires_at AS lease_expires_at, u.heard_at AS heard_at "  \
	"FROM updates u LEFT JOIN users r ON r.id = u.requested_by "

const struct stmt UPDATE_CREATE = STMT("update.create",
	"INSERT INTO updates (id, organization_id, stack_id, kind, preview, status, message, environment_json, "
	"config_json, config_sha256, config_bytes, program_json, requested_by, client, created_at) "
	"VALUES (?, ?, ?, ?, ?, 'not started', ?, ?, ?, ?, ?, ?, ?, ?, ?)");

const struct stmt UPDATE_BY_ID = STMT("update.by_id",
	UPDATE_ROW "WHERE u.id = ? AND u.stack_id = ? AND u.organization_id = ?");

const struct stmt UPDATE_LOCK_BY_ID = STMT("update.lock_by_id",
	UPDATE_ROW "WHERE u.id = ? AND u.stack_id = ? AND u.organization_id = ? FOR UPDATE");

/* all tenants: the lease token's digest names the one update */
const struct stmt UPDATE_BY_TOKEN = STMT("update.by_token",
	UPDATE_ROW "WHERE u.id = ? AND u.token_sha256 = ?");

/* all tenants: the lease token's digest names the one update */
const struct stmt UPDATE_LOCK_BY_TOKEN = STMT("update.lock_by_token",
	UPDATE_ROW "WHERE u.id = ? AND u.token_sha256 = ? FOR UPDATE");

/* all tenants: the stack was found in its organization */
const struct stmt UPDATE_HOLDER = STMT("update.holder",
	UPDATE_ROW "WHERE u.id = (SELECT l.update_id FROM stack_locks l WHERE l.stack_id = ?) FOR UPDATE");

/* all tenants: the stack was found in its organization */
const struct stmt UPDATE_RUNNING = STMT("update.running",
	UPDATE_ROW "WHERE u.id = (SELECT l.update_id FROM stack_locks l WHERE l.stack_id = ?)");

const struct db_column update_lapsed_columns[] = {
	DB_COLUMN(update, id, COLUMN_TEXT),
	DB_COLUMN(update, lease_expires_at, COLUMN_TIME),
	{ 0 },
};

/* all tenants: a job of the installation ends what was abandoned */
const struct stmt UPDATE_LAPSED = STMT("update.lapsed",
	"SELECT id, lease_expires_at FROM updates WHERE status = 'running' AND lease_expires_at > ? AND lease_expires_at < ? "
	"ORDER BY lease_expires_at LIMIT 1");

/* all tenants: a job of the installation ends what was abandoned */
const struct stmt UPDATE_LOCK_LAPSED = STMT("update.lock_lapsed",
	UPDATE_ROW "WHERE u.id = ? AND u.status = 'running' AND u.lease_expires_at < ? FOR UPDATE");

const struct db_column update_place_columns[] = {
	DB_COLUMN(update_place, organization, COLUMN_TEXT),
	DB_COLUMN(update_place, project, COLUMN_TEXT),
	DB_COLUMN(update_place, stack, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: the update was found and locked before */
const struct stmt UPDATE_PLACE = STMT("update.place",
	"SELECT o.login AS organization, s.project AS project, s.name AS stack FROM updates u "
	"JOIN stacks s ON s.id = u.stack_id JOIN organizations o ON o.id = u.organization_id WHERE u.id = ?");

/* all tenants: the update was found in its stack */
const struct stmt UPDATE_RUN = STMT("update.run",
	"UPDATE updates SET status = 'running', version = ?, base_checkpoint_version = ?, journal_version = ?, "
	"token_sha256 = ?, lease_expires_at = ?, heard_at = ?, started_at = ? WHERE id = ? AND status = 'not started'");

/* all tenants: the lease token's digest names the one update */
const struct stmt UPDATE_RENEW = STMT("update.renew",
	"UPDATE updates SET lease_expires_at = ?, heard_at = ? WHERE id = ? AND token_sha256 = ? AND status = 'running'");

/* all tenants: the update was locked by its token. No row changes while the sweep is at the object. */
const struct stmt UPDATE_SAVE_CHECKPOINT = STMT("update.save_checkpoint",
	"UPDATE updates SET checkpoint_sequence = ?, checkpoint_sha256 = ?, checkpoint_bytes = ?, "
	"checkpoint_resources = ? WHERE id = ? AND " MARK_NONE);

/* all tenants: the update was locked by its token or in its stack */
const struct stmt UPDATE_END = STMT("update.end",
	"UPDATE updates SET status = ?, ended_at = ?, resource_count = ? WHERE id = ?");

/* all tenants: the update was locked through its stack */
const struct stmt UPDATE_REVOKE = STMT("update.revoke",
	"UPDATE updates SET token_sha256 = NULL WHERE id = ?");

/* all tenants: the lease token's digest names the one update */
const struct stmt UPDATE_SET_CHANGES = STMT("update.set_changes",
	"UPDATE updates SET resource_changes_json = ? WHERE id = ? AND token_sha256 = ?");

const struct db_column update_info_columns[] = {
	DB_COLUMN(update_info, id, COLUMN_TEXT),
	DB_COLUMN(update_info, kind, COLUMN_TEXT),
	DB_COLUMN(update_info, stack_id, COLUMN_TEXT),
	DB_COLUMN(update_info, message, COLUMN_TEXT),
	DB_COLUMN(update_info, environment, COLUMN_BYTES),
	DB_COLUMN(update_info, config, COLUMN_BYTES),
	DB_COLUMN(update_info, config_sha256, COLUMN_BYTES),
	DB_COLUMN(update_info, config_bytes, COLUMN_INT),
	DB_COLUMN(update_info, result, COLUMN_TEXT),
	DB_COLUMN(update_info, changes, COLUMN_BYTES),
	DB_COLUMN(update_info, started_at, COLUMN_TIME),
	DB_COLUMN(update_info, ended_at, COLUMN_TIME),
	DB_COLUMN(update_info, version, COLUMN_INT),
	DB_COLUMN(update_info, resource_count, COLUMN_INT),
	DB_COLUMN(update_info, preview, COLUMN_BOOL),
	DB_COLUMN(update_info, requested_by, COLUMN_TEXT),
	{ 0 },
};

#define UPDATE_INFO                                                                                \
	"SELECT u.id AS id, u.kind AS kind, u.stack_id AS stack_id, u.message AS message, u.environment_json AS environment, " \
	"u.config_json AS config, u.config_sha256 AS config_sha256, u.config_bytes AS config_bytes, u.status AS result, u.resource_changes_json AS changes, "        \
	"u.started_at AS started_at, u.ended_at AS ended_at, u.version AS version, "               \
	"u.resource_count AS resource_count, u.preview AS preview, " REQUESTED_BY " "                 \
	"FROM updates u LEFT JOIN users r ON r.id = u.requested_by "

/* Versions are dense and count down, so a page is a range of versions. */
const struct stmt UPDATE_HISTORY = STMT("update.history",
	UPDATE_INFO "WHERE u.stack_id = ? AND u.organization_id = ? AND u.version BETWEEN ? AND ? ORDER BY u.version DESC");

const struct stmt UPDATE_PREVIEWS = STMT("update.previews",
	UPDATE_INFO "WHERE u.stack_id = ? AND u.organization_id = ? AND u.preview = TRUE ORDER BY u.id DESC LIMIT ? OFFSET ?");

const struct stmt UPDATE_PREVIEWS_ASCENDING = STMT("update.previews_ascending",
	UPDATE_INFO "WHERE u.stack_id = ? AND u.organization_id = ? AND u.preview = TRUE ORDER BY u.id LIMIT ? OFFSET ?");

const struct stmt UPDATE_PREVIEW = STMT("update.preview",
	UPDATE_INFO "WHERE u.stack_id = ? AND u.organization_id = ? AND u.id = ? AND u.preview = TRUE");

/* all tenants: the stack was locked in the organization that it leaves */
const struct stmt UPDATES_MOVE = STMT("update.move",
	"UPDATE updates SET organization_id = ? WHERE stack_id = ?");

/* all tenants: the stack was locked in its organization */
const struct stmt LOCK_TAKE = STMT("lock.take",
	"INSERT INTO stack_locks (stack_id, update_id) VALUES (?, ?)");

/* all tenants: the update was locked by its token or in its stack */
const struct stmt LOCK_RELEASE = STMT("lock.release",
	"DELETE FROM stack_locks WHERE stack_id = ? AND update_id = ?");

/* all tenants: the stack belongs to the locked update. No row appears while the sweep is at the object. */
const struct stmt CHECKPOINT_CREATE = STMT("checkpoint.create",
	"INSERT INTO checkpoints (stack_id, version, sha256, bytes, resource_count, created_at) "
	"SELECT ?, ?, ?, ?, ?, ? FROM DUAL WHERE " MARK_NONE);

const struct db_column checkpoint_columns[] = {
	DB_COLUMN(checkpoint_row, sha256, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: the stack was found in its organization. The newest state at or before the version. */
const struct stmt CHECKPOINT_BY_VERSION = STMT("checkpoint.by_version",
	"SELECT sha256 FROM checkpoints WHERE stack_id = ? AND version <= ? ORDER BY version DESC LIMIT 1");

/* all tenants: the stack belongs to the locked update */
const struct stmt STACK_SET_STATE = STMT("stack.set_state",
	"UPDATE stacks SET checkpoint_version = ?, resource_count = ? WHERE id = ?");

const struct stmt STACK_SET_UPDATE = STMT("stack.set_update",
	"UPDATE stacks SET active_update_id = ?, version = ?, last_update_at = ? "
	"WHERE id = ? AND organization_id = ?");

/*
 * The one statement of a journal request: appends while the token holds a running update with a journal.
 * all tenants: the lease token's digest names the one update
 */
const struct stmt JOURNAL_BATCH_APPEND = STMT("journal_batch.append",
	"INSERT INTO journal_batches (update_id, first_sequence, last_sequence, digest, bytes, body, gzip, received_at) "
	"SELECT u.id, ?, ?, ?, ?, ?, ?, ? FROM updates u "
	"WHERE u.id = ? AND u.token_sha256 = ? AND u.status = 'running' AND u.journal_version = 1");

/*
 * The same for a batch that an object holds: not while the sweep is at that.
 * all tenants: the lease token's digest names the one update
 */
const struct stmt JOURNAL_BATCH_APPEND_OBJECT = STMT("journal_batch.append_object",
	"INSERT INTO journal_batches (update_id, first_sequence, last_sequence, digest, bytes, gzip, received_at) "
	"SELECT u.id, ?, ?, ?, ?, ?, ? FROM updates u "
	"WHERE u.id = ? AND u.token_sha256 = ? AND u.status = 'running' AND u.journal_version = 1 AND " MARK_NONE);

const struct db_column journal_sequence_columns[] = {
	DB_COLUMN(journal_batch_row, first_sequence, COLUMN_INT),
	{ 0 },
};

/* all tenants: the lease token's digest names the one update */
const struct stmt JOURNAL_BATCH_FIND = STMT("journal_batch.find",
	"SELECT b.first_sequence AS first_sequence FROM updates u JOIN journal_batches b ON b.update_id = u.id "
	"WHERE u.id = ? AND u.token_sha256 = ? AND u.status <> 'cancelled' AND b.first_sequence = ? AND b.digest = ?");

const struct db_column journal_batch_columns[] = {
	DB_COLUMN(journal_batch_row, digest, COLUMN_BYTES),
	DB_COLUMN(journal_batch_row, body, COLUMN_BYTES),
	DB_COLUMN(journal_batch_row, gzip, COLUMN_BOOL),
	{ 0 },
};

/* all tenants: the update was locked by its token or found in its stack */
const struct stmt JOURNAL_BATCHES = STMT("journal_batch.all",
	"SELECT digest, body, gzip FROM journal_batches WHERE update_id = ? ORDER BY first_sequence");

const struct db_column journal_received_columns[] = {
	DB_COLUMN(journal_batch_row, received_at, COLUMN_TIME),
	{ 0 },
};

/* all tenants: the update was found in its stack */
const struct stmt JOURNAL_BATCH_LAST = STMT("journal_batch.last",
	"SELECT received_at FROM journal_batches WHERE update_id = ? ORDER BY first_sequence DESC LIMIT 1");

const struct db_column event_batch_columns[] = {
	DB_COLUMN(event_batch_row, first_sequence, COLUMN_INT),
	DB_COLUMN(event_batch_row, last_sequence, COLUMN_INT),
	DB_COLUMN(event_batch_row, digest, COLUMN_BYTES),
	DB_COLUMN(event_batch_row, body, COLUMN_BYTES),
	DB_COLUMN(event_batch_row, gzip, COLUMN_BOOL),
	DB_COLUMN(event_batch_row, in_object, COLUMN_BOOL),
	{ 0 },
};

/* all tenants: the lease token's digest names the one update */
const struct stmt EVENT_BATCH_APPEND = STMT("event_batch.append",
	"INSERT INTO event_batches (update_id, first_sequence, last_sequence, digest, body, gzip, in_object) "
	"SELECT u.id, ?, ?, ?, ?, ?, ? FROM updates u "
	"WHERE u.id = ? AND u.token_sha256 = ? AND (u.status = 'running' OR u.ended_at > ?)");

/* all tenants: the update was found in its stack */
const struct stmt EVENT_BATCHES = STMT("event_batch.page",
	"SELECT first_sequence, last_sequence, digest, body, gzip, in_object FROM event_batches "
	"WHERE update_id = ? AND last_sequence >= ? ORDER BY first_sequence LIMIT 10");

/* all tenants: the lease token's digest names the one update */
const struct stmt UPDATE_LOG_APPEND = STMT("update_log.append",
	"INSERT INTO update_log_entries (update_id, id, kind, fields_json) "
	"SELECT u.id, ?, ?, ? FROM updates u WHERE u.id = ? AND u.token_sha256 = ? AND u.status = 'running'");

const struct db_column update_log_columns[] = {
	DB_COLUMN(update_log_entry, id, COLUMN_TEXT),
	DB_COLUMN(update_log_entry, kind, COLUMN_TEXT),
	DB_COLUMN(update_log_entry, fields, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: the update was found in its stack */
const struct stmt UPDATE_LOG = STMT("update_log.page",
	"SELECT id, kind, fields_json AS fields FROM update_log_entries WHERE update_id = ? AND id > ? ORDER BY id LIMIT ?");
