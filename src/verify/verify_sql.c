/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at is all of the installation. The first statements answer the places where two tables disagree. */
#include "verify/verify_sql.h"

const struct db_column verify_place_columns[] = { DB_COLUMN(verify_row, place, COLUMN_TEXT), { 0 } };

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_MEMBER_USER = STMT("verify.member_user",
	"SELECT CONCAT('membership of ', m.user_id, ' in ', m.organization_id) AS place FROM organization_members m "
	"LEFT JOIN users u ON u.id = m.user_id WHERE u.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_MEMBER_ORGANIZATION = STMT("verify.member_organization",
	"SELECT CONCAT('membership of ', m.user_id, ' in ', m.organization_id) AS place FROM organization_members m "
	"LEFT JOIN organizations o ON o.id = m.organization_id WHERE o.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_ORGANIZATION_ADMIN = STMT("verify.organization_admin",
	"SELECT CONCAT('organization ', o.login) AS place FROM organizations o WHERE NOT EXISTS "
	"(SELECT 1 FROM organization_members m WHERE m.organization_id = o.id AND m.role = 'admin')");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_ORGANIZATION_OWNER = STMT("verify.organization_owner",
	"SELECT CONCAT('organization ', o.login) AS place FROM organizations o LEFT JOIN users u ON u.id = o.owner_user_id "
	"WHERE o.owner_user_id IS NOT NULL AND u.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_TOKEN_USER = STMT("verify.token_user",
	"SELECT CONCAT('access token ', t.id) AS place FROM access_tokens t LEFT JOIN users u ON u.id = t.user_id "
	"LEFT JOIN organizations o ON o.id = t.organization_id "
	"WHERE (t.user_id IS NOT NULL AND u.id IS NULL) OR (t.organization_id IS NOT NULL AND o.id IS NULL) "
	"OR (t.user_id IS NULL AND (t.organization_id IS NULL OR t.role IS NULL))");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_ISSUER_POLICY = STMT("verify.issuer_policy",
	"SELECT CONCAT('OIDC issuer ', i.id) AS place FROM oidc_issuers i LEFT JOIN auth_policies p "
	"ON p.organization_id = i.organization_id AND p.issuer_id = i.id WHERE p.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_POLICY_ISSUER = STMT("verify.policy_issuer",
	"SELECT CONCAT('auth policy ', p.id) AS place FROM auth_policies p LEFT JOIN oidc_issuers i "
	"ON i.id = p.issuer_id AND i.organization_id = p.organization_id WHERE i.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_DEFAULT_ORGANIZATION = STMT("verify.default_organization",
	"SELECT CONCAT('user ', u.login) AS place FROM users u LEFT JOIN organization_members m "
	"ON m.user_id = u.id AND m.organization_id = u.default_organization_id "
	"WHERE u.default_organization_id IS NOT NULL AND m.user_id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_ORGANIZATION = STMT("verify.stack_organization",
	"SELECT CONCAT('stack ', s.project, '/', s.name, ' (', s.id, ')') AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id "
	"WHERE o.id IS NULL AND (s.organization_id <> '' OR s.deleted_at IS NULL)");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_NAME = STMT("verify.stack_name",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id "
	"WHERE NOT s.unique_name <=> IF(s.deleted_at IS NULL, LOWER(CONCAT(s.project, '/', s.name)), NULL)");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_VERSION = STMT("verify.stack_version",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id WHERE s.organization_id <> '' "
	"AND s.version <> COALESCE((SELECT MAX(u.version) FROM updates u WHERE u.stack_id = s.id), 0)");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_STATE = STMT("verify.stack_state",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id "
	"LEFT JOIN checkpoints c ON c.stack_id = s.id AND c.version = s.checkpoint_version "
	"WHERE s.organization_id <> '' AND s.checkpoint_version IS NOT NULL AND c.stack_id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_STATE_NEWEST = STMT("verify.stack_state_newest",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id WHERE s.organization_id <> '' "
	"AND COALESCE(s.checkpoint_version, -1) <> COALESCE((SELECT MAX(c.version) FROM checkpoints c WHERE c.stack_id = s.id), -1)");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_RESOURCES = STMT("verify.stack_resources",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id "
	"LEFT JOIN checkpoints c ON c.stack_id = s.id AND c.version = s.checkpoint_version "
	"WHERE s.organization_id <> '' AND s.resource_count <> COALESCE(c.resource_count, 0)");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACK_ACTIVE = STMT("verify.stack_active",
	"SELECT CONCAT('stack ', CONCAT(COALESCE(o.login, '-'), '/', s.project, '/', s.name)) AS place FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id "
	"LEFT JOIN updates u ON u.id = s.active_update_id AND u.stack_id = s.id "
	"WHERE s.organization_id <> '' AND s.active_update_id IS NOT NULL AND u.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_LOCK = STMT("verify.lock",
	"SELECT CONCAT('lock of stack ', l.stack_id) AS place FROM stack_locks l "
	"LEFT JOIN updates u ON u.id = l.update_id AND u.stack_id = l.stack_id AND u.status = 'running' WHERE u.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_RUNNING_LOCK = STMT("verify.running_lock",
	"SELECT CONCAT('update ', u.id) AS place FROM updates u LEFT JOIN stack_locks l ON l.stack_id = u.stack_id AND l.update_id = u.id "
	"WHERE u.status = 'running' AND u.preview = FALSE AND l.update_id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_UPDATE_STACK = STMT("verify.update_stack",
	"SELECT CONCAT('update ', u.id) AS place FROM updates u LEFT JOIN stacks s ON s.id = u.stack_id WHERE s.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_UPDATE_ORGANIZATION = STMT("verify.update_organization",
	"SELECT CONCAT('update ', u.id) AS place FROM updates u JOIN stacks s ON s.id = u.stack_id "
	"WHERE u.organization_id <> s.organization_id AND s.organization_id <> ''");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_UPDATE_BASE = STMT("verify.update_base",
	"SELECT CONCAT('update ', u.id) AS place FROM updates u "
	"LEFT JOIN checkpoints c ON c.stack_id = u.stack_id AND c.version = u.base_checkpoint_version "
	"WHERE u.status = 'running' AND u.base_checkpoint_version IS NOT NULL AND c.stack_id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_CHECKPOINT_STACK = STMT("verify.checkpoint_stack",
	"SELECT CONCAT('checkpoint ', c.version, ' of stack ', c.stack_id) AS place FROM checkpoints c "
	"LEFT JOIN stacks s ON s.id = c.stack_id WHERE s.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_KEY_STACK = STMT("verify.key_stack",
	"SELECT CONCAT('key of stack ', k.stack_id) AS place FROM stack_keys k "
	"LEFT JOIN stacks s ON s.id = k.stack_id WHERE s.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_TAG_STACK = STMT("verify.tag_stack",
	"SELECT CONCAT('tag ', t.name, ' of stack ', t.stack_id) AS place FROM stack_tags t LEFT JOIN stacks s "
	"ON s.id = t.stack_id AND s.organization_id = t.organization_id WHERE s.id IS NULL");

const struct db_column verify_stack_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, organization, COLUMN_TEXT),
	DB_COLUMN(verify_row, project, COLUMN_TEXT),
	DB_COLUMN(verify_row, name, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_STACKS = STMT("verify.stacks",
	"SELECT s.id AS id, COALESCE(o.login, '-') AS organization, s.project AS project, s.name AS name FROM stacks s "
	"LEFT JOIN organizations o ON o.id = s.organization_id WHERE s.id > ? ORDER BY s.id LIMIT 500");

const struct db_column verify_tag_columns[] = {
	DB_COLUMN(verify_row, tags, COLUMN_BYTES),
	DB_COLUMN(verify_row, name, COLUMN_TEXT),
	DB_COLUMN(verify_row, value, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_TAGS = STMT("verify.tags",
	"SELECT s.tags_json AS tags, t.name AS name, t.value AS value FROM stacks s "
	"LEFT JOIN stack_tags t ON t.stack_id = s.id WHERE s.id = ? AND s.organization_id <> ''");

const struct db_column verify_checkpoint_columns[] = {
	DB_COLUMN(verify_row, version, COLUMN_INT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	DB_COLUMN(verify_row, bytes, COLUMN_INT),
	DB_COLUMN(verify_row, resources, COLUMN_INT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_CHECKPOINTS = STMT("verify.checkpoints",
	"SELECT version, sha256, bytes, resource_count AS resources FROM checkpoints "
	"WHERE stack_id = ? AND version > ? ORDER BY version LIMIT 500");

const struct db_column verify_running_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, organization_id, COLUMN_TEXT),
	DB_COLUMN(verify_row, organization, COLUMN_TEXT),
	DB_COLUMN(verify_row, project, COLUMN_TEXT),
	DB_COLUMN(verify_row, name, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_RUNNING = STMT("verify.running",
	"SELECT s.id AS id, o.id AS organization_id, o.login AS organization, s.project AS project, s.name AS name "
	"FROM stack_locks l JOIN updates u ON u.id = l.update_id JOIN stacks s ON s.id = l.stack_id "
	"JOIN organizations o ON o.id = s.organization_id WHERE s.deleted_at IS NULL AND s.id > ? ORDER BY s.id LIMIT 500");

const struct db_column verify_id_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_JOURNALS = STMT("verify.journals",
	"SELECT DISTINCT update_id AS id FROM journal_batches WHERE update_id > ? ORDER BY update_id LIMIT 500");

const struct db_column verify_batch_columns[] = {
	DB_COLUMN(verify_row, first_sequence, COLUMN_INT),
	DB_COLUMN(verify_row, last_sequence, COLUMN_INT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	DB_COLUMN(verify_row, bytes, COLUMN_INT),
	DB_COLUMN(verify_row, body, COLUMN_BYTES),
	DB_COLUMN(verify_row, gzip, COLUMN_BOOL),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_JOURNAL = STMT("verify.journal",
	"SELECT first_sequence, last_sequence, digest AS sha256, bytes, body, gzip FROM journal_batches "
	"WHERE update_id = ? ORDER BY first_sequence");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_EVENTS = STMT("verify.events",
	"SELECT DISTINCT update_id AS id FROM event_batches WHERE update_id > ? ORDER BY update_id LIMIT 500");

const struct db_column verify_event_columns[] = {
	DB_COLUMN(verify_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(verify_row, first_sequence, COLUMN_INT),
	DB_COLUMN(verify_row, last_sequence, COLUMN_INT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	DB_COLUMN(verify_row, bytes, COLUMN_INT),
	DB_COLUMN(verify_row, body, COLUMN_BYTES),
	DB_COLUMN(verify_row, gzip, COLUMN_BOOL),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_EVENT = STMT("verify.event",
	"SELECT u.stack_id AS stack_id, e.first_sequence AS first_sequence, e.last_sequence AS last_sequence, e.digest AS sha256, -1 AS bytes, "
	"IF(e.in_object, NULL, e.body) AS body, e.gzip AS gzip FROM event_batches e JOIN updates u ON u.id = e.update_id "
	"WHERE e.update_id = ? ORDER BY e.first_sequence");

const struct db_column verify_configuration_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, stack_id, COLUMN_TEXT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	DB_COLUMN(verify_row, bytes, COLUMN_INT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_CONFIGURATIONS = STMT("verify.configurations",
	"SELECT id, stack_id, config_sha256 AS sha256, config_bytes AS bytes FROM updates "
	"WHERE id > ? AND config_sha256 IS NOT NULL ORDER BY id LIMIT 500");

const struct db_column verify_policy_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, organization_id, COLUMN_TEXT),
	DB_COLUMN(verify_row, object_id, COLUMN_TEXT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_POLICIES = STMT("verify.policies",
	"SELECT id, organization_id, policies_object_id AS object_id, policies_sha256 AS sha256 FROM auth_policies "
	"WHERE id > ? AND policies_json = '[]' AND (policies_object_id IS NOT NULL OR policies_sha256 IS NOT NULL) ORDER BY id LIMIT 500");

const struct db_column verify_key_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, sealed, COLUMN_BYTES),
	{ 0 },
};

/* What was sealed by a master key that was forgotten is known not to open. */
/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_KEYS = STMT("verify.keys",
	"SELECT k.stack_id AS id, k.sealed AS sealed FROM stack_keys k LEFT JOIN master_keys m ON m.id = k.master_key_id "
	"WHERE k.stack_id > ? AND m.forgotten_at IS NULL ORDER BY k.stack_id LIMIT 500");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_PACK_ORGANIZATION = STMT("verify.pack_organization",
	"SELECT CONCAT('policy pack ', p.name) AS place FROM policy_packs p LEFT JOIN organizations o ON o.id = p.organization_id "
	"WHERE o.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_GROUP_ORGANIZATION = STMT("verify.group_organization",
	"SELECT CONCAT('policy group ', g.name) AS place FROM policy_groups g LEFT JOIN organizations o ON o.id = g.organization_id "
	"WHERE o.id IS NULL");

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_GROUP_PACK = STMT("verify.group_pack",
	"SELECT CONCAT('policy group ', g.name) AS place FROM policy_group_packs a JOIN policy_groups g ON g.id = a.policy_group_id "
	"LEFT JOIN policy_pack_versions v ON v.id = a.policy_pack_version_id AND v.policy_pack_id = a.policy_pack_id "
	"AND v.organization_id = g.organization_id AND v.status = 'published' WHERE v.id IS NULL OR a.organization_id <> g.organization_id");

const struct db_column verify_pack_columns[] = {
	DB_COLUMN(verify_row, id, COLUMN_TEXT),
	DB_COLUMN(verify_row, place, COLUMN_TEXT),
	DB_COLUMN(verify_row, sha256, COLUMN_BYTES),
	DB_COLUMN(verify_row, bytes, COLUMN_INT),
	{ 0 },
};

/* all tenants: an administrator of the installation verifies it */
const struct stmt VERIFY_PACK_VERSIONS = STMT("verify.pack_versions",
	"SELECT v.id AS id, CONCAT('policy pack ', COALESCE(o.login, '-'), '/', p.name, ' version ', v.version) AS place, v.sha256 AS sha256, "
	"v.bytes AS bytes FROM policy_pack_versions v JOIN policy_packs p ON p.id = v.policy_pack_id "
	"LEFT JOIN organizations o ON o.id = v.organization_id WHERE v.id > ? AND v.status = 'published' ORDER BY v.id LIMIT 500");
