/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_key_sql.h"

const struct db_column stack_key_columns[] = {
	DB_COLUMN(stack_key_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, sealed, COLUMN_BYTES),
	{ 0 },
};

const struct db_column stack_key_found_columns[] = {
	DB_COLUMN(stack_key_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, sealed, COLUMN_BYTES),
	DB_COLUMN(stack_key_row, master, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, lost_master, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, forgotten_at, COLUMN_TIME),
	{ 0 },
};

/* The stack in its organization, and its key when it has one. */
const struct stmt STACK_KEY_BY_STACK = STMT("stack_key.by_stack",
	"SELECT s.id AS stack_id, k.sealed AS sealed, k.master_key_id AS master, k.lost_master_key_id AS lost_master, "
	"m.forgotten_at AS forgotten_at FROM stacks s LEFT JOIN stack_keys k ON k.stack_id = s.id "
	"LEFT JOIN master_keys m ON m.id = k.master_key_id "
	"WHERE s.organization_id = ? AND s.project = ? AND s.name = ? AND s.deleted_at IS NULL");

/*
 * Only while its master key is in use: the row of that key is locked until the new one is there, so that a key is
 * either sealed before its master key retires, and found by the rotation, or not at all.
 */
/* all tenants: the stack was found in its organization */
const struct stmt STACK_KEY_CREATE = STMT("stack_key.create",
	"INSERT INTO stack_keys (stack_id, master_key_id, sealed, created_at) "
	"SELECT ?, m.id, ?, ? FROM master_keys m WHERE m.id = ? AND m.retired_at IS NULL");

/*
 * A new data key in the place of one that was lost: by compare-and-swap, and only while the new one's master key is in use.
 * all tenants: the stack was found in its organization
 */
const struct stmt STACK_KEY_REPLACE = STMT("stack_key.replace",
	"UPDATE stack_keys k JOIN master_keys m ON m.id = ? AND m.retired_at IS NULL "
	"SET k.lost_master_key_id = ?, k.master_key_id = m.id, k.sealed = ?, k.created_at = ? "
	"WHERE k.stack_id = ? AND k.sealed = ?");

/* all tenants: an administrator of the installation changes the master key */
const struct stmt STACK_KEYS_OF_MASTER = STMT("stack_key.of_master",
	"SELECT stack_id, sealed FROM stack_keys WHERE master_key_id = ? AND stack_id > ? ORDER BY stack_id LIMIT ?");

/* all tenants: an administrator of the installation changes the master key */
const struct stmt STACK_KEY_RESEAL = STMT("stack_key.reseal",
	"UPDATE stack_keys SET master_key_id = ?, sealed = ? WHERE stack_id = ? AND sealed = ?");

const struct db_column key_count_columns[] = {
	DB_COLUMN(key_count, keys, COLUMN_INT),
	{ 0 },
};

/* all tenants: what a master key of the installation seals */
const struct stmt STACK_KEYS_COUNT = STMT("stack_key.count",
	"SELECT COUNT(*) AS `keys` FROM stack_keys WHERE master_key_id = ?");

/* all tenants: what the other master keys of the installation seal */
const struct stmt STACK_KEYS_COUNT_OTHERS = STMT("stack_key.count_others",
	"SELECT COUNT(*) AS `keys` FROM stack_keys WHERE master_key_id < ? OR master_key_id > ?");

const struct db_column master_key_columns[] = {
	DB_COLUMN(master_key_row, id, COLUMN_TEXT),
	DB_COLUMN(master_key_row, retired_at, COLUMN_TIME),
	DB_COLUMN(master_key_row, forgotten_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt MASTER_KEYS = STMT("master_key.all",
	"SELECT id, retired_at, forgotten_at FROM master_keys ORDER BY created_at, id LIMIT 1000");

const struct db_column master_key_in_use_columns[] = {
	DB_COLUMN(master_key_row, id, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: every master key of the installation that seals something */
const struct stmt MASTER_KEYS_IN_USE = STMT("master_key.in_use",
	"SELECT DISTINCT master_key_id AS id FROM stack_keys ORDER BY master_key_id LIMIT 1000");

const struct stmt MASTER_KEY_CREATE = STMT("master_key.create",
	"INSERT INTO master_keys (id, created_at) VALUES (?, ?)");

/* A retired key never comes back: what it sealed since would be lost with its file. */
const struct stmt MASTER_KEYS_RETIRE = STMT("master_key.retire",
	"UPDATE master_keys SET retired_at = ? WHERE (id < ? OR id > ?) AND retired_at IS NULL");

/* From now on it seals nothing, should it turn up again, and nothing waits for it. */
const struct stmt MASTER_KEY_FORGET = STMT("master_key.forget",
	"UPDATE master_keys SET forgotten_at = ?, retired_at = COALESCE(retired_at, ?) WHERE id = ? AND forgotten_at IS NULL");

const struct db_column stack_key_loss_columns[] = {
	DB_COLUMN(stack_key_loss, organization_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_loss, organization, COLUMN_TEXT),
	DB_COLUMN(stack_key_loss, stacks, COLUMN_INT),
	{ 0 },
};

/* Stacks that were deleted and can be restored count, too. */
/* all tenants: an administrator of the installation gives up a master key */
const struct stmt STACK_KEY_LOSSES = STMT("stack_key.losses",
	"SELECT o.id AS organization_id, o.login AS organization, COUNT(*) AS stacks FROM stack_keys k "
	"JOIN stacks s ON s.id = k.stack_id JOIN organizations o ON o.id = s.organization_id "
	"WHERE k.master_key_id = ? GROUP BY o.id, o.login ORDER BY o.login");
