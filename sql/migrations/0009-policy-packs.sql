-- Policy packs, the groups that apply them to stacks, and the keys that sign addresses of this server.

CREATE TABLE IF NOT EXISTS policy_packs (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whose it is',
  name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'one of its organization',
  display_name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'of the version published last',
  last_version BIGINT NOT NULL DEFAULT 0 COMMENT 'given out last; never again, since clients keep what they downloaded',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY policy_packs_name (organization_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='names of policy packs; a name stays when all its versions are deleted';

CREATE TABLE IF NOT EXISTS policy_pack_versions (
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
  bytes BIGINT NOT NULL DEFAULT 0 COMMENT 'of the archive',
  created_by_user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'who began to publish it; NULL: an organization token',
  created_at DATETIME(6) NOT NULL,
  published_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY policy_pack_versions_version (policy_pack_id, version),
  UNIQUE KEY policy_pack_versions_tag (policy_pack_id, version_tag),
  KEY policy_pack_versions_status (status, created_at),
  CONSTRAINT policy_pack_versions_pack FOREIGN KEY (policy_pack_id) REFERENCES policy_packs (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='versions of policy packs';

CREATE TABLE IF NOT EXISTS policy_groups (
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
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='which policy packs hold for which stacks; the default group of an organization has a row from its first change on';

CREATE TABLE IF NOT EXISTS policy_group_stacks (
  policy_group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the group; a stack that went to another organization no longer counts',
  member TINYINT(1) NOT NULL COMMENT '1: belongs to the group; 0: was taken out of the default group',
  PRIMARY KEY (policy_group_id, stack_id),
  KEY policy_group_stacks_stack (stack_id),
  CONSTRAINT policy_group_stacks_group FOREIGN KEY (policy_group_id) REFERENCES policy_groups (id) ON DELETE CASCADE,
  CONSTRAINT policy_group_stacks_stack FOREIGN KEY (stack_id) REFERENCES stacks (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='stacks of policy groups';

CREATE TABLE IF NOT EXISTS policy_group_packs (
  policy_group_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  policy_pack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'in one version at a time',
  policy_pack_version_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  config_json MEDIUMBLOB NULL COMMENT 'configuration of each policy; NULL: as the pack has it',
  environments_json MEDIUMBLOB NULL COMMENT 'environments whose values configure the pack, a list of texts; NULL: none',
  enabled_at DATETIME(6) NOT NULL,
  PRIMARY KEY (policy_group_id, policy_pack_id),
  KEY policy_group_packs_version (policy_pack_version_id),
  KEY policy_group_packs_organization (organization_id, policy_group_id),
  CONSTRAINT policy_group_packs_group FOREIGN KEY (policy_group_id) REFERENCES policy_groups (id) ON DELETE CASCADE,
  CONSTRAINT policy_group_packs_pack FOREIGN KEY (policy_pack_id) REFERENCES policy_packs (id),
  CONSTRAINT policy_group_packs_version FOREIGN KEY (policy_pack_version_id) REFERENCES policy_pack_versions (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='policy packs that policy groups apply';

CREATE TABLE IF NOT EXISTS link_keys (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7, in the addresses that it signs',
  sealed VARBINARY(2048) NOT NULL COMMENT '32 bytes, sealed by a master key and bound to the id',
  created_at DATETIME(6) NOT NULL COMMENT 'signs for a day from then on, and counts for two',
  PRIMARY KEY (id),
  KEY link_keys_created (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='keys that sign addresses at which clients upload and download';
