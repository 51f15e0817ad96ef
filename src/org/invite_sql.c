/* SPDX-License-Identifier: Apache-2.0 */
#include "org/invite_sql.h"

const struct db_column invite_columns[] = {
	DB_COLUMN(invite, id, COLUMN_TEXT),
	DB_COLUMN(invite, email, COLUMN_TEXT),
	DB_COLUMN(invite, role, COLUMN_TEXT),
	DB_COLUMN(invite, state, COLUMN_TEXT),
	DB_COLUMN(invite, organization_id, COLUMN_TEXT),
	DB_COLUMN(invite, organization_login, COLUMN_TEXT),
	DB_COLUMN(invite, organization_name, COLUMN_TEXT),
	DB_COLUMN(invite, sender_login, COLUMN_TEXT),
	DB_COLUMN(invite, sender_name, COLUMN_TEXT),
	DB_COLUMN(invite, sent_at, COLUMN_TIME),
	DB_COLUMN(invite, expired, COLUMN_BOOL),
	{ 0 },
};

/* The first parameter is the time. A sender may be gone. */
#define INVITE_ROW                                                                                 \
	"SELECT i.id AS id, i.email AS email, i.role AS role, i.state AS state, i.organization_id AS organization_id, " \
	"o.login AS organization_login, o.name AS organization_name, COALESCE(u.login, '') AS sender_login, " \
	"COALESCE(u.name, '') AS sender_name, i.sent_at AS sent_at, COALESCE(i.expires_at <= ?, 0) AS expired " \
	"FROM organization_invites i JOIN organizations o ON o.id = i.organization_id LEFT JOIN users u ON u.id = i.sender_user_id "

const struct stmt INVITE_LIST = STMT("invite.list",
	INVITE_ROW "WHERE i.organization_id = ? AND i.state = 'pending' AND (i.expires_at IS NULL OR i.expires_at > ?) "
	"ORDER BY i.id LIMIT 1000");

/* all tenants: what was sent to an address that the caller has shown to be its own */
const struct stmt INVITE_LIST_FOR = STMT("invite.list_for",
	INVITE_ROW "WHERE i.email = ? AND i.state = 'pending' AND i.expires_at > ? LIMIT 1000");

const struct stmt INVITE_BY_ID = STMT("invite.by_id",
	INVITE_ROW "WHERE i.organization_id = ? AND i.id = ?");

/* all tenants: whoever has the link, a member or not; the organization is compared by its name */
const struct stmt INVITE_BY_SECRET = STMT("invite.by_secret",
	INVITE_ROW "WHERE i.token_sha256 = ? AND o.login = ?");

/* all tenants: what was sent to an address that the caller has shown to be its own */
const struct stmt INVITE_FOR_ADDRESS = STMT("invite.for_address",
	INVITE_ROW "WHERE i.id = ? AND o.login = ? AND i.email = ?");

const struct db_column invite_count_columns[] = { DB_COLUMN(invite_count, count, COLUMN_INT), { 0 } };

const struct stmt INVITE_COUNT = STMT("invite.count",
	"SELECT COUNT(*) AS count FROM organization_invites "
	"WHERE organization_id = ? AND state = 'pending' AND (expires_at IS NULL OR expires_at > ?)");

const struct db_column invite_address_columns[] = { DB_COLUMN(invite_address, email, COLUMN_TEXT), { 0 } };

const struct stmt INVITE_MEMBERS = STMT("invite.members",
	"SELECT u.email AS email FROM users u JOIN organization_members m ON m.user_id = u.id "
	"WHERE m.organization_id = ? AND u.email IN (" DB_PLACES_TEXT ")");

const struct stmt INVITE_CREATE = STMT("invite.create",
	"INSERT INTO organization_invites (id, organization_id, token_sha256, email, role, state, sender_user_id, created_at, sent_at, "
	"expires_at) VALUES (?, ?, ?, NULL, ?, 'pending', ?, ?, ?, NULL)");

#define FOUR_INVITES                                                                               \
	"UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? " \
	"UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? "

/* INVITES_AT_ONCE rows; those without an id make none. */
const struct stmt INVITE_CREATE_ALL = STMT("invite.create_all",
	"INSERT INTO organization_invites (id, organization_id, token_sha256, email, role, state, sender_user_id, created_at, sent_at, "
	"expires_at) SELECT t.id, ?, t.token_sha256, t.email, t.role, 'pending', ?, ?, ?, ? "
	"FROM (SELECT ? AS id, CAST(? AS BINARY) AS token_sha256, ? AS email, ? AS role UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? "
	"UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? UNION ALL SELECT ?, CAST(? AS BINARY), ?, ? "
	FOUR_INVITES FOUR_INVITES FOUR_INVITES FOUR_INVITES FOUR_INVITES ") t WHERE t.id IS NOT NULL");

const struct stmt INVITE_RENEW = STMT("invite.renew",
	"UPDATE organization_invites SET token_sha256 = ?, sender_user_id = ?, sent_at = ?, expires_at = ? "
	"WHERE organization_id = ? AND id = ? AND state = 'pending'");

const struct stmt INVITE_CANCEL = STMT("invite.cancel",
	"UPDATE organization_invites SET state = 'canceled' WHERE organization_id = ? AND id = ? AND state = 'pending'");

const struct stmt INVITE_CANCEL_FOR = STMT("invite.cancel_for",
	"UPDATE organization_invites SET state = 'canceled' WHERE organization_id = ? AND state = 'pending' AND email IN (" DB_PLACES_TEXT ")");

const struct stmt INVITE_ACCEPT = STMT("invite.accept",
	"UPDATE organization_invites SET state = 'accepted' WHERE organization_id = ? AND id = ? AND state = 'pending' "
	"AND (expires_at IS NULL OR expires_at > ?)");
