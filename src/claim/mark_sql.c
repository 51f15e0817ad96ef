/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/mark_sql.h"

const struct db_column mark_columns[] = { DB_COLUMN(mark_row, owner_id, COLUMN_TEXT), { 0 } };

const struct stmt MARK_ANNOUNCE = STMT("mark.announce",
	"INSERT INTO swept_objects (owner_id, sha256, sweep_id, marked_at) VALUES (?, ?, ?, UTC_TIMESTAMP(6))");

/* What a sweep left that ended or died: a young mark is another's that works. */
const struct stmt MARK_ANNOUNCE_AGAIN = STMT("mark.announce_again",
	"UPDATE swept_objects SET sweep_id = ?, marked_at = UTC_TIMESTAMP(6), begun_at = NULL, ended_at = NULL "
	"WHERE owner_id = ? AND sha256 = ? "
	"AND (ended_at IS NOT NULL OR COALESCE(begun_at, marked_at) < UTC_TIMESTAMP(6) - INTERVAL ? SECOND)");

const struct stmt MARK_BEGIN = STMT("mark.begin",
	"UPDATE swept_objects SET begun_at = UTC_TIMESTAMP(6) WHERE owner_id = ? AND sha256 = ? AND sweep_id = ? AND begun_at IS NULL");

const struct stmt MARK_END = STMT("mark.end",
	"UPDATE swept_objects SET ended_at = UTC_TIMESTAMP(6) WHERE owner_id = ? AND sha256 = ? AND sweep_id = ?");

const struct stmt MARK_REMOVE = STMT("mark.remove",
	"DELETE FROM swept_objects WHERE owner_id = ? AND sha256 = ? AND sweep_id = ?");

/* Not begun, ended, or begun by a sweep that has died. */
const struct stmt MARK_TAKE_AWAY = STMT("mark.take_away",
	"DELETE FROM swept_objects WHERE owner_id = ? AND sha256 = ? AND (begun_at IS NULL OR ended_at IS NOT NULL "
	"OR begun_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND)");

const struct stmt MARK_FIND = STMT("mark.find",
	"SELECT owner_id FROM swept_objects WHERE owner_id = ? AND sha256 = ?");

const struct stmt MARK_FORGET_OLD = STMT("mark.forget_old",
	"DELETE FROM swept_objects WHERE marked_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY ORDER BY marked_at LIMIT 1000");
