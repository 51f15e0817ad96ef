/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity_sql.h"

const struct db_column caller_columns[] = { CALLER_COLUMNS(caller, ), { 0 } };

/*
 * A membership that is missing leaves the organization columns NULL. A token of an organization has no user and a role of its
 * own; who has a token that reaches one organization administers no site with it.
 */
const struct stmt CALLER_BY_TOKEN = STMT("caller.by_token", "SELECT " CALLER_SELECTED CALLER_FROM CALLER_WHERE);

const struct db_column organization_columns[] = {
	DB_COLUMN(organization, id, COLUMN_TEXT),
	DB_COLUMN(organization, login, COLUMN_TEXT),
	DB_COLUMN(organization, name, COLUMN_TEXT),
	DB_COLUMN(organization, role, COLUMN_TEXT),
	{ 0 },
};

#define ORGANIZATION_ROW                                                                           \
	"SELECT o.id AS id, o.login AS login, o.name AS name, m.role AS role "                     \
	"FROM organization_members m JOIN organizations o ON o.id = m.organization_id "

const struct stmt ORGANIZATIONS_OF_USER = STMT("organizations.of_user",
	ORGANIZATION_ROW "WHERE m.user_id = ? ORDER BY o.owner_user_id IS NULL, o.login LIMIT 1000");

const struct stmt ORGANIZATIONS_OF_USER_BY_ID = STMT("organizations.of_user_by_id",
	ORGANIZATION_ROW "WHERE m.user_id = ? ORDER BY m.organization_id LIMIT 1000");

const struct stmt MEMBERSHIP = STMT("organization.membership",
	ORGANIZATION_ROW "WHERE m.user_id = ? AND o.login = ?");

/* What a token reaches that reaches one only: nothing when its user has left. */
#define ORGANIZATION_OF_TOKEN_ROW                                                                  \
	"SELECT o.id AS id, o.login AS login, o.name AS name, COALESCE(t.role, m.role) AS role "   \
	"FROM access_tokens t JOIN organizations o ON o.id = t.organization_id "                   \
	"LEFT JOIN organization_members m ON m.organization_id = o.id AND m.user_id = t.user_id "  \
	"WHERE t.id = ? AND COALESCE(t.role, m.role) IS NOT NULL"

const struct stmt ORGANIZATION_OF_TOKEN = STMT("organization.of_token", ORGANIZATION_OF_TOKEN_ROW);

const struct stmt MEMBERSHIP_OF_TOKEN = STMT("organization.membership_of_token", ORGANIZATION_OF_TOKEN_ROW " AND o.login = ?");

const struct stmt DEFAULT_ORGANIZATION = STMT("organization.default",
	"SELECT o.id AS id, o.login AS login, o.name AS name, m.role AS role "
	"FROM users u JOIN organization_members m ON m.user_id = u.id AND m.organization_id = u.default_organization_id "
	"JOIN organizations o ON o.id = m.organization_id WHERE u.id = ?");

/* all tenants: the caller's own row; its membership in the organization was checked */
const struct stmt USER_SET_DEFAULT_ORGANIZATION = STMT("user.set_default_organization",
	"UPDATE users SET default_organization_id = ? WHERE id = ?");

const struct db_column user_any_columns[] = {
	DB_COLUMN(organization, login, COLUMN_TEXT),
	{ 0 },
};

const struct stmt USER_COUNT = STMT("user.any",
	"SELECT login FROM users ORDER BY id LIMIT 1 FOR UPDATE");

/* One row that all first sign-ups write: of two at once, on whatever node of a cluster, one comes second. */
const struct stmt USER_FIRST = STMT("user.first",
	"REPLACE INTO claims (name, holder, description, expires_at) VALUES ('first user', ?, 'sign-up', UTC_TIMESTAMP(6))");

const struct stmt USER_CREATE = STMT("user.create",
	"INSERT INTO users (id, login, name, email, password, site_admin, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)");

const struct stmt ORGANIZATION_CREATE = STMT("organization.create",
	"INSERT INTO organizations (id, login, name, owner_user_id, created_at) VALUES (?, ?, ?, ?, ?)");

const struct stmt MEMBER_CREATE = STMT("member.create",
	"INSERT INTO organization_members (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)");
