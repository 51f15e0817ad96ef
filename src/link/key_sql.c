/* SPDX-License-Identifier: Apache-2.0 */
#include "link/key_sql.h"

const struct db_column link_key_columns[] = {
	DB_COLUMN(link_key_row, id, COLUMN_TEXT),
	DB_COLUMN(link_key_row, sealed, COLUMN_BYTES),
	DB_COLUMN(link_key_row, created_at, COLUMN_TIME),
	{ 0 },
};

/* The keys are of the installation: no tenant's. */
const struct stmt LINK_KEY_NEWEST = STMT("link_key.newest",
	"SELECT id, sealed, created_at FROM link_keys WHERE created_at > ? AND created_at <= ? ORDER BY created_at DESC LIMIT 1");

const struct stmt LINK_KEY_BY_ID = STMT("link_key.by_id",
	"SELECT id, sealed, created_at FROM link_keys WHERE id = ? AND created_at > ?");

/* Only while its master key is in use: one that retired never seals again. */
const struct stmt LINK_KEY_CREATE = STMT("link_key.create",
	"INSERT INTO link_keys (id, sealed, created_at) "
	"SELECT ?, ?, ? FROM master_keys m WHERE m.id = ? AND m.retired_at IS NULL");

const struct stmt LINK_KEYS_PURGE = STMT("link_key.purge",
	"DELETE FROM link_keys WHERE created_at < ? ORDER BY created_at LIMIT 100");
