-- Objects that the sweep deletes, how far a restore got, and master keys that were lost.

CREATE TABLE IF NOT EXISTS swept_objects (
  owner_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'stack or update that the object belongs to',
  sha256 BINARY(32) NOT NULL COMMENT 'digest in the name of the object',
  sweep_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7 of the run whose mark it is',
  marked_at DATETIME(6) NOT NULL COMMENT 'announced: whoever names the object takes the mark away',
  begun_at DATETIME(6) NULL COMMENT 'since then it may vanish any moment',
  ended_at DATETIME(6) NULL COMMENT 'it was deleted',
  PRIMARY KEY (owner_id, sha256),
  KEY swept_objects_marked (marked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='objects that the sweep deletes, or has deleted in the last day';

CREATE TABLE IF NOT EXISTS restore_progress (
  part VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file of the backup; manifest.json: the whole of it',
  sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the file, hex',
  line_count BIGINT NOT NULL COMMENT 'lines of it that are rows here',
  PRIMARY KEY (part)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='a restore that is not finished: while this has rows nothing is served';

ALTER TABLE master_keys
  ADD COLUMN forgotten_at DATETIME(6) NULL COMMENT 'lost for good, an administrator said: nothing waits for it any more';

ALTER TABLE stack_keys
  ADD COLUMN lost_master_key_id CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the data key before this one was lost with it';
