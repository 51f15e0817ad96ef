-- Large configurations of updates may be objects.

ALTER TABLE updates
  ADD COLUMN config_sha256 BINARY(32) NULL COMMENT 'config_json is {}: an object of the store for service metadata has the configuration, whose text has this digest; NULL: config_json has it',
  ADD COLUMN config_bytes BIGINT NOT NULL DEFAULT 0 COMMENT 'of the text in that object';
