-- The whole schema: the sum of sql/migrations/, for readers. Written by pulumi-migrate schema.

CREATE TABLE access_tokens (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'whom it speaks for; NULL: the organization itself',
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is never stored',
  name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '',
  description VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NULL COMMENT 'NULL: never',
  last_used_at DATETIME(6) NULL COMMENT 'precise to the hour',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the one organization that it reaches; NULL: all of its user',
  role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'admin or member, when it speaks for the organization; NULL: what its user is',
  issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'OIDC issuer whose token was exchanged for it; NULL: none',
  PRIMARY KEY (id),
  KEY access_tokens_expires (expires_at),
  KEY access_tokens_issuer (organization_id, issuer_id),
  UNIQUE KEY access_tokens_token (token_sha256),
  KEY access_tokens_user (user_id, id)
) COMMENT='personal access tokens';

CREATE TABLE audit_events (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'NULL: concerns the installation',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  token_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  event VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the operation, e.g. delete_stack',
  description TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  source_ip VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY audit_events_event (organization_id, event, id),
  KEY audit_events_organization (organization_id, id),
  KEY audit_events_user (organization_id, user_id, id)
) COMMENT='who did what, written with the change';

CREATE TABLE audit_shipped (
  audit_event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the row of audit_events',
  table_name VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the table outside the database that has it too',
  shipped_at DATETIME(6) NOT NULL COMMENT 'when that table had acknowledged it',
  PRIMARY KEY (audit_event_id, table_name),
  KEY audit_shipped_at (table_name, shipped_at, audit_event_id)
) COMMENT='records that a table elsewhere has too: their rows stay until every reader sees them there';

CREATE TABLE auth_policies (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'exactly one policy for each issuer',
  version BIGINT NOT NULL COMMENT 'grows with each change, from 1',
  policies_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'list of definitions as the API shows them',
  created_at DATETIME(6) NOT NULL,
  modified_at DATETIME(6) NOT NULL,
  policies_object_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'UUIDv7 of the text, new with each change, in the name of an object of the store for service metadata; policies_json is [] then; NULL: policies_json has it',
  policies_sha256 BINARY(32) NULL COMMENT 'of the text in that object; means nothing unless policies_json is []',
  PRIMARY KEY (id),
  UNIQUE KEY auth_policies_issuer (organization_id, issuer_id)
) COMMENT='which tokens of an OIDC issuer are exchanged for what';

CREATE TABLE checkpoints (
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version BIGINT NOT NULL COMMENT 'version of the update that left this state; 0: given at creation',
  sha256 BINARY(32) NOT NULL COMMENT 'of the text; the object is named by it',
  bytes BIGINT NOT NULL COMMENT 'length of the text',
  resource_count BIGINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (stack_id, version)
) COMMENT='states that an update left behind';

CREATE TABLE claims (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the work',
  holder CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7 of the process',
  description VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'program, process and host, for people',
  expires_at DATETIME(6) NOT NULL COMMENT 'free again unless renewed',
  PRIMARY KEY (name)
) COMMENT='work that one process may do at a time';

CREATE TABLE email_tokens (
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is in the mail only',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'verify or reset',
  email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'where it was sent: good only while it is the address of the user',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (token_sha256),
  KEY email_tokens_expires (expires_at),
  KEY email_tokens_user (user_id, purpose)
) COMMENT='what a link in a mail proves, once';

CREATE TABLE event_batches (
  update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  first_sequence BIGINT NOT NULL COMMENT 'smallest event sequence in it',
  last_sequence BIGINT NOT NULL COMMENT 'largest event sequence in it',
  digest BINARY(32) NOT NULL COMMENT 'SHA-256 of the text',
  body LONGBLOB NOT NULL COMMENT 'the request as it arrived',
  gzip TINYINT(1) NOT NULL COMMENT 'the body is compressed',
  in_object TINYINT(1) NOT NULL DEFAULT '0' COMMENT 'body is empty: an object of the store for engine events holds it',
  PRIMARY KEY (update_id, first_sequence, digest),
  CONSTRAINT event_batches_update FOREIGN KEY (update_id) REFERENCES updates (id) ON DELETE CASCADE
) COMMENT='engine events, a row a request';

CREATE TABLE journal_batches (
  update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  first_sequence BIGINT NOT NULL COMMENT 'smallest sequence id in it',
  last_sequence BIGINT NOT NULL COMMENT 'largest sequence id in it',
  digest BINARY(32) NOT NULL COMMENT 'SHA-256 of the text: a repeated batch is the same row',
  bytes BIGINT NOT NULL COMMENT 'length of the text',
  body LONGBLOB NULL COMMENT 'the request as it arrived; NULL: an object holds it',
  gzip TINYINT(1) NOT NULL COMMENT 'the body is compressed',
  received_at DATETIME(6) NOT NULL,
  PRIMARY KEY (update_id, first_sequence, digest),
  CONSTRAINT journal_batches_update FOREIGN KEY (update_id) REFERENCES updates (id) ON DELETE CASCADE
) COMMENT='journal entries of running and recently ended updates, a row a request';

CREATE TABLE link_keys (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7, in the addresses that it signs',
  sealed VARBINARY(2048) NOT NULL COMMENT '32 bytes, sealed by a master key and bound to the id',
  created_at DATETIME(6) NOT NULL COMMENT 'signs for a day from then on, and counts for two',
  PRIMARY KEY (id),
  KEY link_keys_created (created_at)
) COMMENT='keys that sign addresses at which clients upload and download';

CREATE TABLE mail_limits (
  subject BINARY(32) NOT NULL COMMENT 'SHA-256 of what is limited, e.g. mails to one address',
  period BIGINT NOT NULL COMMENT 'hours since 1970',
  uses BIGINT NOT NULL COMMENT 'so far in this hour',
  PRIMARY KEY (subject, period),
  KEY mail_limits_period (period)
) COMMENT='how often something was done in an hour';

CREATE TABLE mail_messages (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7, also in the Message-ID',
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what it is about, e.g. verify-email',
  recipient VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the one address that it goes to',
  subject VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  message MEDIUMBLOB NULL COMMENT 'headers and body as they are sent; NULL: sent, so that no link stays here',
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'waiting, sent or failed',
  attempts BIGINT NOT NULL DEFAULT '0' COMMENT 'grows with each claim: who changed it from n to n+1 may send',
  next_attempt_at DATETIME(6) NOT NULL COMMENT 'due from then on; while it is being sent, when it counts as not sent',
  give_up_at DATETIME(6) NOT NULL COMMENT 'an attempt that fails later is the last one',
  created_at DATETIME(6) NOT NULL,
  sent_at DATETIME(6) NULL,
  problem VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '' COMMENT 'why the last attempt failed',
  PRIMARY KEY (id),
  KEY mail_messages_age (state, created_at),
  KEY mail_messages_due (state, next_attempt_at)
) COMMENT='mails, written in the transaction of their cause';

CREATE TABLE master_keys (
  id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'start of the SHA-256 of the key, hex',
  created_at DATETIME(6) NOT NULL COMMENT 'when it was first seen',
  retired_at DATETIME(6) NULL COMMENT 'since then it seals nothing more',
  forgotten_at DATETIME(6) NULL COMMENT 'lost for good, an administrator said: nothing waits for it any more',
  PRIMARY KEY (id)
) COMMENT='master keys that have sealed; the keys themselves are never here';

CREATE TABLE oidc_issuers (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'display name; unique in the organization',
  url VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as registered',
  issuer VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the iss of its tokens; unique in the organization',
  thumbprints_json TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'list of hexadecimal SHA-256 or SHA-1 of certificates that are trusted without an authority',
  jwks_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'registered keys (RFC 7517); NULL: they are fetched',
  max_expiration BIGINT NULL COMMENT 'longest life of a token given for one of its, seconds; NULL: 25 hours',
  keys_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'keys fetched last; NULL: none yet',
  keys_fetched_at DATETIME(6) NULL COMMENT 'when they were fetched',
  keys_tried_at DATETIME(6) NULL COMMENT 'when somebody last went to fetch them: bounds how often',
  created_at DATETIME(6) NOT NULL,
  modified_at DATETIME(6) NOT NULL,
  last_used_at DATETIME(6) NULL COMMENT 'last exchange',
  refused_at DATETIME(6) NULL COMMENT 'last refusal that was recorded: bounds how many are',
  PRIMARY KEY (id),
  UNIQUE KEY oidc_issuers_issuer (organization_id, issuer),
  UNIQUE KEY oidc_issuers_name (organization_id, name)
) COMMENT='identity providers whose tokens an organization takes';

CREATE TABLE organization_invites (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is in the link only',
  email VARCHAR(254) CHARACTER SET ascii COLLATE ascii_general_ci NULL COMMENT 'NULL: whoever has the link',
  role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'admin or member',
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'pending, accepted or canceled',
  sender_user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'who sent it last',
  created_at DATETIME(6) NOT NULL,
  sent_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NULL COMMENT 'NULL: never',
  PRIMARY KEY (id),
  KEY organization_invites_email (email, state),
  KEY organization_invites_organization (organization_id, state, id),
  UNIQUE KEY organization_invites_token (token_sha256)
) COMMENT='invitations to join an organization';

CREATE TABLE organization_members (
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'admin or member',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (organization_id, user_id),
  KEY organization_members_user (user_id, organization_id)
) COMMENT='who belongs to which organization, and as what';

CREATE TABLE organizations (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  login VARCHAR(40) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL COMMENT 'the name in URLs; unique without case',
  name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'display name',
  owner_user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'set for the individual organization of a user',
  created_at DATETIME(6) NOT NULL,
  members_version BIGINT NOT NULL DEFAULT '0' COMMENT 'grows with each change of members: two at once exclude each other',
  PRIMARY KEY (id),
  UNIQUE KEY organizations_login (login)
) COMMENT='tenants; every stack belongs to one';

CREATE TABLE policy_group_packs (
  policy_group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  policy_pack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'in one version at a time',
  policy_pack_version_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  config_json MEDIUMBLOB NULL COMMENT 'configuration of each policy; NULL: as the pack has it',
  environments_json MEDIUMBLOB NULL COMMENT 'environments whose values configure the pack, a list of texts; NULL: none',
  enabled_at DATETIME(6) NOT NULL,
  PRIMARY KEY (policy_group_id, policy_pack_id),
  KEY policy_group_packs_organization (organization_id, policy_group_id),
  KEY policy_group_packs_pack (policy_pack_id),
  KEY policy_group_packs_version (policy_pack_version_id),
  CONSTRAINT policy_group_packs_group FOREIGN KEY (policy_group_id) REFERENCES policy_groups (id) ON DELETE CASCADE,
  CONSTRAINT policy_group_packs_pack FOREIGN KEY (policy_pack_id) REFERENCES policy_packs (id),
  CONSTRAINT policy_group_packs_version FOREIGN KEY (policy_pack_version_id) REFERENCES policy_pack_versions (id)
) COMMENT='policy packs that policy groups apply';

CREATE TABLE policy_group_stacks (
  policy_group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the group; a stack that went to another organization no longer counts',
  member TINYINT(1) NOT NULL COMMENT '1: belongs to the group; 0: was taken out of the default group',
  PRIMARY KEY (policy_group_id, stack_id),
  KEY policy_group_stacks_stack (stack_id),
  CONSTRAINT policy_group_stacks_group FOREIGN KEY (policy_group_id) REFERENCES policy_groups (id) ON DELETE CASCADE,
  CONSTRAINT policy_group_stacks_stack FOREIGN KEY (stack_id) REFERENCES stacks (id) ON DELETE CASCADE
) COMMENT='stacks of policy groups';

CREATE TABLE policy_groups (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'one of its organization',
  is_default TINYINT(1) NOT NULL COMMENT 'every stack of the organization belongs to it unless it was taken out',
  entity_type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'stacks or accounts',
  mode VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'preventative or audit',
  agent_pool_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as a client gave it',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY policy_groups_name (organization_id, name)
) COMMENT='which policy packs hold for which stacks; the default group of an organization has a row from its first change on';

CREATE TABLE policy_pack_versions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7, in the names of its objects',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  policy_pack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version BIGINT NOT NULL COMMENT 'from 1 on',
  version_tag VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'what its author calls it; NULL: nothing',
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'uploading, published, or deleted: the row keeps its tag from being used again',
  display_name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  policies_json MEDIUMBLOB NOT NULL COMMENT 'its policies, as they were published',
  details_json MEDIUMBLOB NOT NULL COMMENT 'what else its author says: description, readme, provider, tags, repository, runtime, metadata',
  sha256 BINARY(32) NULL COMMENT 'of the archive; NULL: not published',
  bytes BIGINT NOT NULL DEFAULT '0' COMMENT 'of the archive',
  created_by_user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'who began to publish it; NULL: an organization token',
  created_at DATETIME(6) NOT NULL,
  published_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY policy_pack_versions_status (status, created_at),
  UNIQUE KEY policy_pack_versions_tag (policy_pack_id, version_tag),
  UNIQUE KEY policy_pack_versions_version (policy_pack_id, version),
  CONSTRAINT policy_pack_versions_pack FOREIGN KEY (policy_pack_id) REFERENCES policy_packs (id)
) COMMENT='versions of policy packs';

CREATE TABLE policy_packs (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whose it is',
  name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'one of its organization',
  display_name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'of the version published last',
  last_version BIGINT NOT NULL DEFAULT '0' COMMENT 'given out last; never again, since clients keep what they downloaded',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY policy_packs_name (organization_id, name)
) COMMENT='names of policy packs; a name stays when all its versions are deleted';

CREATE TABLE refresh_tokens (
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is never stored',
  family_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7; the same for all that came out of one exchange',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'OIDC issuer whose token was exchanged at first',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as the access tokens have it',
  role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as the access tokens have it',
  name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'as the access tokens have it',
  description VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'as the access tokens have it',
  scope VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as it was asked for',
  lifetime BIGINT NOT NULL COMMENT 'of an access token, seconds',
  access_token_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the access token that it was given out with',
  successor_sha256 BINARY(32) NULL COMMENT 'what it was used for; NULL: it was not used',
  used_at DATETIME(6) NULL COMMENT 'good for one use',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL COMMENT 'when the family ends: refreshing does not move it',
  PRIMARY KEY (token_sha256),
  KEY refresh_tokens_expires (expires_at),
  KEY refresh_tokens_family (organization_id, family_id),
  KEY refresh_tokens_issuer (organization_id, issuer_id)
) COMMENT='refresh tokens given out with access tokens of an exchange';

CREATE TABLE restore_progress (
  part VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file of the backup; manifest.json: the whole of it',
  sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the file, hex',
  line_count BIGINT NOT NULL COMMENT 'lines of it that are rows here',
  PRIMARY KEY (part)
) COMMENT='a restore that is not finished: while this has rows nothing is served';

CREATE TABLE schema_migrations (
  name VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file name',
  checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file',
  applied_at DATETIME(6) NOT NULL,
  PRIMARY KEY (name)
) COMMENT='migrations that were applied';

CREATE TABLE schema_progress (
  name VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file name',
  checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file',
  statements BIGINT NOT NULL COMMENT 'statements of it that are done',
  PRIMARY KEY (name)
) COMMENT='the migration that is being applied';

CREATE TABLE stack_keys (
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'bound to it: renames and transfers change nothing',
  master_key_id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the master key that seals it',
  sealed VARBINARY(1024) NOT NULL COMMENT 'the data key, sealed',
  created_at DATETIME(6) NOT NULL,
  lost_master_key_id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the data key before this one was lost with it',
  PRIMARY KEY (stack_id),
  KEY stack_keys_master (master_key_id)
) COMMENT='data keys of stacks';

CREATE TABLE stack_locks (
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (stack_id)
) COMMENT='the one update that may write a stack';

CREATE TABLE stack_tags (
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the stack',
  value VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (stack_id, name),
  KEY stack_tags_name (organization_id, name, stack_id),
  KEY stack_tags_value (organization_id, name, value, stack_id)
) COMMENT='tags, a row each: what lists are filtered by';

CREATE TABLE stacks (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7; never changes: ciphertexts and objects are bound to it',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  project VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  unique_name VARCHAR(210) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'lower-case project/name; NULL when deleted, which frees the name',
  version BIGINT NOT NULL DEFAULT '0' COMMENT 'number of the last update; previews take none',
  active_update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the running update, or the last one',
  checkpoint_version BIGINT NULL COMMENT 'the checkpoint that an export returns; NULL: the empty deployment',
  resource_count BIGINT NOT NULL DEFAULT '0',
  last_update_at DATETIME(6) NULL COMMENT 'start of the last update',
  tags_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'tags, one JSON object of strings as this server writes it',
  config_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL COMMENT 'link to remote configuration, JSON as sent',
  created_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(6) NOT NULL,
  deleted_at DATETIME(6) NULL COMMENT 'soft delete; NULL: alive',
  PRIMARY KEY (id),
  KEY stacks_list (organization_id, deleted_at, id),
  KEY stacks_list_project (organization_id, project, deleted_at, id),
  KEY stacks_path (organization_id, project, name),
  UNIQUE KEY stacks_unique_name (organization_id, unique_name)
) COMMENT='stacks, live and softly deleted';

CREATE TABLE swept_objects (
  owner_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'stack or update that the object belongs to',
  sha256 BINARY(32) NOT NULL COMMENT 'digest in the name of the object',
  sweep_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7 of the run whose mark it is',
  marked_at DATETIME(6) NOT NULL COMMENT 'announced: whoever names the object takes the mark away',
  begun_at DATETIME(6) NULL COMMENT 'since then it may vanish any moment',
  ended_at DATETIME(6) NULL COMMENT 'it was deleted',
  PRIMARY KEY (owner_id, sha256),
  KEY swept_objects_marked (marked_at)
) COMMENT='objects that the sweep deletes, or has deleted in the last day';

CREATE TABLE update_log_entries (
  update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7: sorts by arrival',
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'stdout or stderr',
  fields_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'as sent',
  PRIMARY KEY (update_id, id),
  CONSTRAINT update_log_entries_update FOREIGN KEY (update_id) REFERENCES updates (id) ON DELETE CASCADE
) COMMENT='lines of text of updates, read back with their status';

CREATE TABLE updates (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the stack when it was created',
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'update preview refresh destroy import rename',
  preview TINYINT(1) NOT NULL COMMENT 'a preview or a dry run: takes no lock, no version, writes no state',
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'not started, running, succeeded, failed, cancelled',
  version BIGINT NULL COMMENT 'set at start; NULL for previews and before',
  journal_version INT NOT NULL DEFAULT '0' COMMENT '1: entries arrive as a journal; 0: as checkpoints',
  base_checkpoint_version BIGINT NULL COMMENT 'the state that journal indexes refer to; NULL: the empty deployment',
  message TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  environment_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'metadata.environment as sent',
  config_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'configuration as sent; secrets are ciphertext',
  program_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'name, runtime, main, description, options as sent',
  requested_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  client VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT 'version of the command line that started it',
  token_sha256 BINARY(32) NULL COMMENT 'lease token; kept after the end so that a repeated completion is recognised',
  lease_expires_at DATETIME(6) NULL,
  heard_at DATETIME(6) NULL COMMENT 'last renewal or start',
  checkpoint_sequence BIGINT NOT NULL DEFAULT '0' COMMENT 'last checkpoint saved by this update, 0: none',
  checkpoint_sha256 BINARY(32) NULL COMMENT 'of its text',
  checkpoint_bytes BIGINT NULL COMMENT 'length of its text',
  checkpoint_resources BIGINT NULL COMMENT 'resources in it',
  resource_changes_json TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL COMMENT 'from the summary event',
  resource_count BIGINT NULL,
  created_at DATETIME(6) NOT NULL,
  started_at DATETIME(6) NULL,
  ended_at DATETIME(6) NULL,
  config_sha256 BINARY(32) NULL COMMENT 'config_json is {}: an object of the store for service metadata has the configuration, whose text has this digest; NULL: config_json has it',
  config_bytes BIGINT NOT NULL DEFAULT '0' COMMENT 'of the text in that object',
  PRIMARY KEY (id),
  KEY updates_lease (status, lease_expires_at),
  KEY updates_previews (stack_id, preview, id),
  UNIQUE KEY updates_version (stack_id, version)
) COMMENT='updates and previews of stacks';

CREATE TABLE users (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  login VARCHAR(40) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL COMMENT 'the name in URLs; unique without case',
  name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'display name',
  email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'unique without case',
  password VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL COMMENT 'Argon2id, encoded form; NULL: cannot sign in by password',
  site_admin TINYINT(1) NOT NULL DEFAULT '0' COMMENT 'administers this installation',
  default_organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'where stacks without an owner go; NULL: the first membership',
  created_at DATETIME(6) NOT NULL,
  email_verified_at DATETIME(6) NULL COMMENT 'when the user showed that the address is its own; NULL: not yet',
  PRIMARY KEY (id),
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_login (login)
) COMMENT='one account per person';
