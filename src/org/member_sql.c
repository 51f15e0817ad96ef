/* SPDX-License-Identifier: Apache-2.0 */
#include "org/member_sql.h"

const struct db_column member_columns[] = {
	DB_COLUMN(member, user_id, COLUMN_TEXT),
	DB_COLUMN(member, login, COLUMN_TEXT),
	DB_COLUMN(member, name, COLUMN_TEXT),
	DB_COLUMN(member, role, COLUMN_TEXT),
	DB_COLUMN(member, created_at, COLUMN_TIME),
	DB_COLUMN(member, role_modified_at, COLUMN_TIME),
	{ 0 },
};

/* The roles are built in: they are as old as the organization. */
#define MEMBER_ROW                                                                                 \
	"SELECT m.user_id AS user_id, u.login AS login, u.name AS name, m.role AS role, m.created_at AS created_at, " \
	"o.created_at AS role_modified_at FROM organization_members m "                            \
	"JOIN organizations o ON o.id = m.organization_id JOIN users u ON u.id = m.user_id "

const struct stmt MEMBER_LIST = STMT("member.list",
	MEMBER_ROW "WHERE m.organization_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?");

const struct stmt MEMBER_BY_LOGIN = STMT("member.by_login",
	MEMBER_ROW "WHERE m.organization_id = ? AND u.login = ?");

const struct stmt MEMBER_OTHER_ADMIN = STMT("member.other_admin",
	MEMBER_ROW "WHERE m.organization_id = ? AND m.role = 'admin' AND m.user_id <> ? LIMIT 1");

/* A write, not a lock: clusters that certify transactions notice two of them as well. No row: an individual organization. */
const struct stmt MEMBERS_CHANGE = STMT("members.change",
	"UPDATE organizations SET members_version = members_version + 1 WHERE id = ? AND owner_user_id IS NULL");

const struct stmt MEMBER_ADD = STMT("member.add",
	"INSERT INTO organization_members (organization_id, user_id, role, created_at) "
	"SELECT ?, id, ?, ? FROM users WHERE login = ?");

const struct stmt MEMBER_SET_ROLE = STMT("member.set_role",
	"UPDATE organization_members SET role = ? WHERE organization_id = ? AND user_id = ?");

const struct stmt MEMBER_REMOVE = STMT("member.remove",
	"DELETE FROM organization_members WHERE organization_id = ? AND user_id = ?");

const struct stmt MEMBER_FORGET_DEFAULT = STMT("member.forget_default",
	"UPDATE users SET default_organization_id = NULL WHERE default_organization_id = ? AND id = ?");
