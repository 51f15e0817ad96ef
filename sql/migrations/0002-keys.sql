-- Master keys that this installation has used, and the data key of each stack, sealed.

CREATE TABLE IF NOT EXISTS master_keys (
  id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'start of the SHA-256 of the key, hex',
  created_at DATETIME(6) NOT NULL COMMENT 'when it was first seen',
  retired_at DATETIME(6) NULL COMMENT 'since then it seals nothing more',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='master keys that have sealed; the keys themselves are never here';

CREATE TABLE IF NOT EXISTS stack_keys (
  stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'bound to it: renames and transfers change nothing',
  master_key_id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the master key that seals it',
  sealed VARBINARY(1024) NOT NULL COMMENT 'the data key, sealed',
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (stack_id),
  KEY stack_keys_master (master_key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='data keys of stacks';
