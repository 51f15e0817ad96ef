/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/exchange_sql.h"

const struct db_column exchange_user_columns[] = { DB_COLUMN(exchange_user, user_id, COLUMN_TEXT), { 0 } };

const struct stmt EXCHANGE_USER = STMT("exchange.user",
	"SELECT m.user_id AS user_id FROM users u JOIN organization_members m ON m.user_id = u.id "
	"WHERE m.organization_id = ? AND u.login = ?");
