/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_sql.h"

const struct stmt AUDIT_RECORD = STMT("audit.record",
	"INSERT INTO audit_events (id, organization_id, user_id, token_id, event, description, source_ip, created_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

const struct db_column audit_user_columns[] = { DB_COLUMN(audit_entry, user_id, COLUMN_TEXT), { 0 } };

/* all tenants: who left an organization is still in its log */
const struct stmt AUDIT_USER = STMT("audit.user",
	"SELECT id AS user_id FROM users WHERE login = ?");

const struct db_column audit_columns[] = {
	DB_COLUMN(audit_entry, id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, event, COLUMN_TEXT),
	DB_COLUMN(audit_entry, description, COLUMN_TEXT),
	DB_COLUMN(audit_entry, source_ip, COLUMN_TEXT),
	DB_COLUMN(audit_entry, user_id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, login, COLUMN_TEXT),
	DB_COLUMN(audit_entry, name, COLUMN_TEXT),
	DB_COLUMN(audit_entry, token_id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, token_name, COLUMN_TEXT),
	DB_COLUMN(audit_entry, created_at, COLUMN_TIME),
	{ 0 },
};

/* Ids sort by time: a range of time is a range of the index. */
#define AUDIT_ROW                                                                                  \
	"SELECT a.id AS id, a.event AS event, a.description AS description, a.source_ip AS source_ip, " \
	"a.user_id AS user_id, u.login AS login, u.name AS name, a.token_id AS token_id, t.name AS token_name, " \
	"a.created_at AS created_at FROM audit_events a LEFT JOIN users u ON u.id = a.user_id "    \
	"LEFT JOIN access_tokens t ON t.id = a.token_id "                                          \
	"WHERE a.organization_id = ? AND a.id >= ? AND a.id < ? "
#define AUDIT_ORDER "ORDER BY a.id DESC LIMIT ?"

const struct stmt AUDIT_LIST = STMT("audit.list", AUDIT_ROW AUDIT_ORDER);

const struct stmt AUDIT_LIST_EVENT = STMT("audit.list_event", AUDIT_ROW "AND a.event = ? " AUDIT_ORDER);

const struct stmt AUDIT_LIST_USER = STMT("audit.list_user", AUDIT_ROW "AND a.user_id = ? " AUDIT_ORDER);

const struct stmt AUDIT_LIST_USER_EVENT = STMT("audit.list_user_event",
	AUDIT_ROW "AND a.user_id = ? AND a.event = ? " AUDIT_ORDER);

/* --- a store outside the database --- */

const struct db_column audit_user_name_columns[] = {
	DB_COLUMN(audit_entry, login, COLUMN_TEXT),
	DB_COLUMN(audit_entry, name, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: who left an organization is still in its log */
const struct stmt AUDIT_USER_NAMES = STMT("audit.user_names",
	"SELECT login, name FROM users WHERE id = ?");

const struct db_column audit_token_name_columns[] = { DB_COLUMN(audit_entry, token_name, COLUMN_TEXT), { 0 } };

/* all tenants: a token that a record of the organization names */
const struct stmt AUDIT_TOKEN_NAME = STMT("audit.token_name",
	"SELECT name AS token_name FROM access_tokens WHERE id = ?");

const struct db_column audit_waiting_columns[] = {
	DB_COLUMN(audit_entry, id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, organization_id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, user_id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, token_id, COLUMN_TEXT),
	DB_COLUMN(audit_entry, event, COLUMN_TEXT),
	DB_COLUMN(audit_entry, description, COLUMN_TEXT),
	DB_COLUMN(audit_entry, source_ip, COLUMN_TEXT),
	DB_COLUMN(audit_entry, created_at, COLUMN_TIME),
	{ 0 },
};

/* all tenants: the log of the whole installation is shipped */
const struct stmt AUDIT_WAITING = STMT("audit.waiting",
	"SELECT a.id AS id, a.organization_id AS organization_id, a.user_id AS user_id, a.token_id AS token_id, a.event AS event, "
	"a.description AS description, a.source_ip AS source_ip, a.created_at AS created_at FROM audit_events a "
	"LEFT JOIN audit_shipped s ON s.audit_event_id = a.id AND s.table_name = ? "
	"WHERE a.id > ? AND s.audit_event_id IS NULL ORDER BY a.id LIMIT ?");

/*
 * Some at once: NULL is the id of none. One that is marked already is one that another host marked.
 * all tenants: the log of the whole installation is shipped
 */
const struct stmt AUDIT_MARK = STMT("audit.mark",
	"INSERT INTO audit_shipped (audit_event_id, table_name, shipped_at) "
	"SELECT a.id, ?, UTC_TIMESTAMP(6) FROM audit_events a "
	"WHERE a.id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
	"AND NOT EXISTS (SELECT 1 FROM audit_shipped s WHERE s.audit_event_id = a.id AND s.table_name = ?)");

const struct db_column audit_id_columns[] = { DB_COLUMN(audit_entry, id, COLUMN_TEXT), { 0 } };
const struct db_column audit_shipped_columns[] = { DB_COLUMN(audit_entry, created_at, COLUMN_TIME), { 0 } };

const struct stmt AUDIT_SHIPPED_UNTIL = STMT("audit.shipped_until",
	"SELECT MAX(due.shipped_at) AS created_at FROM (SELECT shipped_at FROM audit_shipped "
	"WHERE table_name = ? AND shipped_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND ORDER BY shipped_at LIMIT ?) due");

/* all tenants: the records were shipped */
const struct stmt AUDIT_REMOVE = STMT("audit.remove",
	"DELETE a FROM audit_events a JOIN audit_shipped s ON s.audit_event_id = a.id WHERE s.table_name = ? AND s.shipped_at <= ?");

/* The marks for other tables too: they say nothing any more. */
const struct stmt AUDIT_UNMARK = STMT("audit.unmark",
	"DELETE o FROM audit_shipped s JOIN audit_shipped o ON o.audit_event_id = s.audit_event_id "
	"WHERE s.table_name = ? AND s.shipped_at <= ?");

/* all tenants: the log of the whole installation comes back */
const struct stmt AUDIT_EXISTS = STMT("audit.exists",
	"SELECT id FROM audit_events WHERE id = ?");
