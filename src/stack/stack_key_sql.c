/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_key_sql.h"

const struct db_column stack_key_columns[] = {
	DB_COLUMN(stack_key_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, sealed, COLUMN_BYTES),
	{ 0 },
};

/* The stack in its organization, and its key when it has one. */
const struct stmt STACK_KEY_BY_STACK = STMT("stack_key.by_stack",
	"SELECT s.id AS stack_id, k.sealed AS sealed FROM stacks s LEFT JOIN stack_keys k ON k.stack_id = s.id "
	"WHERE s.organization_id = ? AND s.project = ? AND s.name = ? AND s.deleted_at IS NULL");

/* all tenants: the stack was found in its organization */
const struct stmt STACK_KEY_CREATE = STMT("stack_key.create",
	"INSERT INTO stack_keys (stack_id, master_key_id, sealed, created_at) VALUES (?, ?, ?, ?)");

const struct db_column stack_key_other_columns[] = {
	DB_COLUMN(stack_key_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, sealed, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: an administrator of the installation changes the master key */
const struct stmt STACK_KEYS_OF_OTHERS = STMT("stack_key.of_others",
	"SELECT stack_id, sealed FROM stack_keys WHERE master_key_id < ? OR master_key_id > ? LIMIT ?");

/* all tenants: an administrator of the installation changes the master key */
const struct stmt STACK_KEY_RESEAL = STMT("stack_key.reseal",
	"UPDATE stack_keys SET master_key_id = ?, sealed = ? WHERE stack_id = ? AND sealed = ?");

const struct db_column master_key_columns[] = {
	DB_COLUMN(stack_key_row, master_key_id, COLUMN_TEXT),
	DB_COLUMN(stack_key_row, stacks, COLUMN_INT),
	{ 0 },
};

const struct stmt MASTER_KEYS = STMT("master_key.all",
	"SELECT m.id AS master_key_id, (SELECT COUNT(*) FROM stack_keys k WHERE k.master_key_id = m.id) AS stacks "
	"FROM master_keys m ORDER BY m.created_at, m.id LIMIT 1000");

const struct stmt MASTER_KEY_CREATE = STMT("master_key.create",
	"INSERT INTO master_keys (id, created_at) VALUES (?, ?)");
