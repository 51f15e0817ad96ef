/* SPDX-License-Identifier: Apache-2.0 */
#include "turn_sql.h"

const struct stmt TURN_CREATE = STMT("turn.create",
	"INSERT INTO claims (name, holder, description, expires_at) "
	"VALUES (?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND)");

const struct stmt TURN_TAKE_OVER = STMT("turn.take_over",
	"UPDATE claims SET holder = ?, expires_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND "
	"WHERE name = ? AND expires_at < UTC_TIMESTAMP(6)");
