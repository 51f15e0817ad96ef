/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/claim_sql.h"

const struct db_column claim_columns[] = {
	DB_COLUMN(claim_row, holder, COLUMN_TEXT),
	DB_COLUMN(claim_row, description, COLUMN_TEXT),
	{ 0 },
};

const struct stmt CLAIM_CREATE = STMT("claim.create",
	"INSERT INTO claims (name, holder, description, expires_at) "
	"VALUES (?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND)");

const struct stmt CLAIM_TAKE_OVER = STMT("claim.take_over",
	"UPDATE claims SET holder = ?, description = ?, expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND "
	"WHERE name = ? AND expires_at < UTC_TIMESTAMP(6)");

const struct stmt CLAIM_RENEW = STMT("claim.renew",
	"UPDATE claims SET expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND WHERE name = ? AND holder = ?");

const struct stmt CLAIM_RELEASE = STMT("claim.release",
	"DELETE FROM claims WHERE name = ? AND holder = ?");

const struct stmt CLAIM_HOLDER = STMT("claim.holder",
	"SELECT holder, description FROM claims WHERE name = ?");
