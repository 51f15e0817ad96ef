/* SPDX-License-Identifier: Apache-2.0 */
/* all tenants: an administrator of the installation asks */
#include "admin_sql.h"

/* --- users --- */

const struct db_column admin_user_columns[] = {
	DB_COLUMN(user_row, id, COLUMN_TEXT),
	DB_COLUMN(user_row, login, COLUMN_TEXT),
	DB_COLUMN(user_row, email, COLUMN_TEXT),
	DB_COLUMN(user_row, name, COLUMN_TEXT),
	DB_COLUMN(user_row, site_admin, COLUMN_BOOL),
	DB_COLUMN(user_row, created_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt ADMIN_USER = STMT("admin.user",
	"SELECT id, login, email, name, site_admin, created_at FROM users WHERE login = ?");

const struct db_column admin_users_columns[] = {
	DB_COLUMN(user_row, id, COLUMN_TEXT),
	DB_COLUMN(user_row, login, COLUMN_TEXT),
	DB_COLUMN(user_row, email, COLUMN_TEXT),
	DB_COLUMN(user_row, name, COLUMN_TEXT),
	DB_COLUMN(user_row, site_admin, COLUMN_BOOL),
	DB_COLUMN(user_row, created_at, COLUMN_TIME),
	DB_COLUMN(user_row, tokens, COLUMN_INT),
	DB_COLUMN(user_row, organizations, COLUMN_INT),
	{ 0 },
};

const struct stmt ADMIN_USERS = STMT("admin.users",
	"SELECT u.id AS id, u.login AS login, u.email AS email, u.name AS name, u.site_admin AS site_admin, "
	"u.created_at AS created_at, (SELECT COUNT(*) FROM access_tokens t WHERE t.user_id = u.id) AS tokens, "
	"(SELECT COUNT(*) FROM organization_members m WHERE m.user_id = u.id) AS organizations FROM users u ORDER BY u.login");

const struct stmt ADMIN_USER_CREATE = STMT("admin.user_create",
	"INSERT INTO users (id, login, name, email, password, site_admin, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)");

const struct stmt ADMIN_USER_SET_PASSWORD = STMT("admin.user_set_password",
	"UPDATE users SET password = ? WHERE id = ?");

const struct stmt ADMIN_USER_SET_ADMIN = STMT("admin.user_set_admin",
	"UPDATE users SET site_admin = ? WHERE id = ?");

const struct db_column admin_login_columns[] = { DB_COLUMN(user_row, login, COLUMN_TEXT), { 0 } };

const struct stmt ADMIN_USER_SOLE_ADMIN_OF = STMT("admin.user_sole_admin_of",
	"SELECT o.login AS login FROM organization_members m JOIN organizations o ON o.id = m.organization_id "
	"WHERE m.user_id = ? AND m.role = 'admin' AND (o.owner_user_id IS NULL OR o.owner_user_id <> m.user_id) "
	"AND NOT EXISTS (SELECT 1 FROM organization_members n WHERE n.organization_id = m.organization_id "
	"AND n.role = 'admin' AND n.user_id <> m.user_id) ORDER BY o.login LIMIT 1");

const struct stmt ADMIN_USER_OWNED_STACK = STMT("admin.user_owned_stack",
	"SELECT o.login AS login FROM organizations o JOIN stacks s ON s.organization_id = o.id WHERE o.owner_user_id = ? LIMIT 1");

const struct stmt ADMIN_USER_DELETE_TOKENS = STMT("admin.user_delete_tokens",
	"DELETE FROM access_tokens WHERE user_id = ?");

const struct stmt ADMIN_USER_DELETE_EMAIL_TOKENS = STMT("admin.user_delete_email_tokens",
	"DELETE FROM email_tokens WHERE user_id = ?");

const struct stmt ADMIN_USER_DELETE_MEMBERSHIPS = STMT("admin.user_delete_memberships",
	"DELETE FROM organization_members WHERE user_id = ?");

const struct stmt ADMIN_USER_DELETE_OWNED_MEMBERS = STMT("admin.user_delete_owned_members",
	"DELETE FROM organization_members WHERE organization_id IN (SELECT id FROM organizations WHERE owner_user_id = ?)");

const struct stmt ADMIN_USER_DELETE_OWNED = STMT("admin.user_delete_owned",
	"DELETE FROM organizations WHERE owner_user_id = ?");

const struct stmt ADMIN_USER_DELETE = STMT("admin.user_delete",
	"DELETE FROM users WHERE id = ?");

/* --- organizations --- */

const struct db_column admin_organization_columns[] = {
	DB_COLUMN(organization, id, COLUMN_TEXT),
	DB_COLUMN(organization, login, COLUMN_TEXT),
	DB_COLUMN(organization, name, COLUMN_TEXT),
	{ 0 },
};

const struct stmt ADMIN_ORGANIZATION = STMT("admin.organization",
	"SELECT id, login, name FROM organizations WHERE login = ?");

const struct db_column admin_organizations_columns[] = {
	DB_COLUMN(organization_row, id, COLUMN_TEXT),
	DB_COLUMN(organization_row, login, COLUMN_TEXT),
	DB_COLUMN(organization_row, name, COLUMN_TEXT),
	DB_COLUMN(organization_row, created_at, COLUMN_TIME),
	DB_COLUMN(organization_row, members, COLUMN_INT),
	DB_COLUMN(organization_row, stacks, COLUMN_INT),
	{ 0 },
};

const struct stmt ADMIN_ORGANIZATIONS = STMT("admin.organizations",
	"SELECT o.id AS id, o.login AS login, o.name AS name, o.created_at AS created_at, "
	"(SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = o.id) AS members, "
	"(SELECT COUNT(*) FROM stacks s WHERE s.organization_id = o.id AND s.deleted_at IS NULL) AS stacks "
	"FROM organizations o ORDER BY o.login");

const struct stmt ADMIN_ORGANIZATION_CREATE = STMT("admin.organization_create",
	"INSERT INTO organizations (id, login, name, owner_user_id, created_at) VALUES (?, ?, ?, ?, ?)");

const struct db_column admin_members_columns[] = {
	DB_COLUMN(member_row, login, COLUMN_TEXT),
	DB_COLUMN(member_row, email, COLUMN_TEXT),
	DB_COLUMN(member_row, role, COLUMN_TEXT),
	DB_COLUMN(member_row, created_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt ADMIN_MEMBERS = STMT("admin.members",
	"SELECT u.login AS login, u.email AS email, m.role AS role, m.created_at AS created_at "
	"FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? ORDER BY u.login");

const struct stmt ADMIN_MEMBER_CREATE = STMT("admin.member_create",
	"INSERT INTO organization_members (organization_id, user_id, role, created_at) VALUES (?, ?, ?, ?)");

/* --- tokens --- */

const struct db_column admin_tokens_columns[] = {
	DB_COLUMN(token_row, id, COLUMN_TEXT),
	DB_COLUMN(token_row, user, COLUMN_TEXT),
	DB_COLUMN(token_row, name, COLUMN_TEXT),
	DB_COLUMN(token_row, description, COLUMN_TEXT),
	DB_COLUMN(token_row, created_at, COLUMN_TIME),
	DB_COLUMN(token_row, expires_at, COLUMN_TIME),
	DB_COLUMN(token_row, last_used_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt ADMIN_TOKENS = STMT("admin.tokens",
	"SELECT t.id AS id, COALESCE(u.login, o.login) AS `user`, t.name AS name, t.description AS description, t.created_at AS created_at, "
	"t.expires_at AS expires_at, t.last_used_at AS last_used_at "
	"FROM access_tokens t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN organizations o ON o.id = t.organization_id "
	"WHERE ? IS NULL OR u.login = ? ORDER BY COALESCE(u.login, o.login), t.id");

const struct stmt ADMIN_TOKEN_DELETE = STMT("admin.token_delete",
	"DELETE FROM access_tokens WHERE id = ?");

const struct stmt ADMIN_TOKEN_DELETE_ALL = STMT("admin.token_delete_all",
	"DELETE FROM access_tokens WHERE user_id = ?");

/* --- stacks and keys --- */

const struct db_column admin_stacks_columns[] = {
	DB_COLUMN(stack_row, id, COLUMN_TEXT),
	DB_COLUMN(stack_row, organization, COLUMN_TEXT),
	DB_COLUMN(stack_row, project, COLUMN_TEXT),
	DB_COLUMN(stack_row, name, COLUMN_TEXT),
	DB_COLUMN(stack_row, version, COLUMN_INT),
	DB_COLUMN(stack_row, resources, COLUMN_INT),
	DB_COLUMN(stack_row, last_update_at, COLUMN_TIME),
	DB_COLUMN(stack_row, created_at, COLUMN_TIME),
	DB_COLUMN(stack_row, deleted_at, COLUMN_TIME),
	DB_COLUMN(stack_row, running, COLUMN_TEXT),
	DB_COLUMN(stack_row, running_by, COLUMN_TEXT),
	DB_COLUMN(stack_row, running_id, COLUMN_TEXT),
	DB_COLUMN(stack_row, lease_expires_at, COLUMN_TIME),
	{ 0 },
};

#define STACK_ROW                                                                                  \
	"SELECT s.id AS id, o.login AS organization, s.project AS project, s.name AS name, s.version AS version, " \
	"s.resource_count AS resources, s.last_update_at AS last_update_at, s.created_at AS created_at, "  \
	"s.deleted_at AS deleted_at, u.kind AS running, " \
	"COALESCE(r.login, (SELECT a.login FROM organizations a WHERE a.id = u.requested_by)) AS running_by, " \
	"l.update_id AS running_id, u.lease_expires_at AS lease_expires_at " \
	"FROM stacks s JOIN organizations o ON o.id = s.organization_id "                           \
	"LEFT JOIN stack_locks l ON l.stack_id = s.id LEFT JOIN updates u ON u.id = l.update_id "   \
	"LEFT JOIN users r ON r.id = u.requested_by "

const struct stmt ADMIN_STACKS = STMT("admin.stacks",
	STACK_ROW "WHERE (? IS NULL OR o.login = ?) AND (s.deleted_at IS NOT NULL) = ? ORDER BY o.login, s.project, s.name, s.id");

const struct stmt ADMIN_STACK = STMT("admin.stack",
	STACK_ROW "WHERE s.organization_id = ? AND s.project = ? AND s.name = ? AND s.deleted_at IS NULL");

const struct stmt ADMIN_STACK_DELETED = STMT("admin.stack_deleted",
	STACK_ROW "WHERE s.id = ? AND s.deleted_at IS NOT NULL");

const struct db_column admin_keys_columns[] = {
	DB_COLUMN(key_row, id, COLUMN_TEXT),
	DB_COLUMN(key_row, stacks, COLUMN_INT),
	DB_COLUMN(key_row, created_at, COLUMN_TIME),
	DB_COLUMN(key_row, retired_at, COLUMN_TIME),
	DB_COLUMN(key_row, forgotten_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt ADMIN_MASTER_KEYS = STMT("admin.master_keys",
	"SELECT m.id AS id, (SELECT COUNT(*) FROM stack_keys k WHERE k.master_key_id = m.id) AS stacks, "
	"m.created_at AS created_at, m.retired_at AS retired_at, m.forgotten_at AS forgotten_at FROM master_keys m ORDER BY m.created_at, m.id");

/* --- check --- */

const struct db_column admin_durability_columns[] = {
	DB_COLUMN(durability_row, flush, COLUMN_INT),
	DB_COLUMN(durability_row, binary_log, COLUMN_INT),
	DB_COLUMN(durability_row, sync, COLUMN_INT),
	{ 0 },
};

const struct stmt ADMIN_DURABILITY = STMT("admin.durability",
	"SELECT @@GLOBAL.innodb_flush_log_at_trx_commit AS flush, @@GLOBAL.log_bin AS binary_log, @@GLOBAL.sync_binlog AS sync");

/* all tenants: it belongs to nobody, and must be refused for that. Values: id of no update, a digest, now. */
const struct stmt ADMIN_ORPHAN = STMT("admin.orphan",
	"INSERT INTO journal_batches (update_id, first_sequence, last_sequence, digest, bytes, body, gzip, received_at) "
	"VALUES (?, 0, 0, ?, 0, NULL, FALSE, ?)");

/* --- mails --- */

const struct db_column admin_mail_columns[] = {
	DB_COLUMN(mail_row, id, COLUMN_TEXT),
	DB_COLUMN(mail_row, state, COLUMN_TEXT),
	DB_COLUMN(mail_row, kind, COLUMN_TEXT),
	DB_COLUMN(mail_row, recipient, COLUMN_TEXT),
	DB_COLUMN(mail_row, subject, COLUMN_TEXT),
	DB_COLUMN(mail_row, problem, COLUMN_TEXT),
	DB_COLUMN(mail_row, attempts, COLUMN_INT),
	DB_COLUMN(mail_row, created_at, COLUMN_TIME),
	DB_COLUMN(mail_row, next_attempt_at, COLUMN_TIME),
	DB_COLUMN(mail_row, give_up_at, COLUMN_TIME),
	DB_COLUMN(mail_row, sent_at, COLUMN_TIME),
	{ 0 },
};

#define MAIL_ROW                                                                                   \
	"SELECT id, state, kind, recipient, subject, problem, attempts, created_at, "              \
	"CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at, give_up_at, sent_at FROM mail_messages "

const struct stmt ADMIN_MAILS = STMT("admin.mails",
	MAIL_ROW "WHERE (? IS NULL OR state = ?) ORDER BY id DESC LIMIT 1000");

const struct stmt ADMIN_MAIL = STMT("admin.mail",
	MAIL_ROW "WHERE id = ?");

/* As if it were new: another three days. */
const struct stmt ADMIN_MAIL_RETRY = STMT("admin.mail_retry",
	"UPDATE mail_messages SET state = 'waiting', next_attempt_at = UTC_TIMESTAMP(6), give_up_at = UTC_TIMESTAMP(6) + INTERVAL 72 HOUR "
	"WHERE id = ? AND state <> 'sent'");

const struct stmt ADMIN_MAIL_RETRY_FAILED = STMT("admin.mail_retry_failed",
	"UPDATE mail_messages SET state = 'waiting', next_attempt_at = UTC_TIMESTAMP(6), give_up_at = UTC_TIMESTAMP(6) + INTERVAL 72 HOUR "
	"WHERE state = 'failed'");

const struct stmt ADMIN_MAIL_DROP = STMT("admin.mail_drop",
	"DELETE FROM mail_messages WHERE id = ?");

const struct stmt ADMIN_MAIL_DROP_FAILED = STMT("admin.mail_drop_failed",
	"DELETE FROM mail_messages WHERE state = 'failed'");
