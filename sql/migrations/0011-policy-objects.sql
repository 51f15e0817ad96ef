-- Auth policies may be objects.

ALTER TABLE auth_policies
  ADD COLUMN policies_object_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'UUIDv7 of the text, new with each change, in the name of an object of the store for service metadata; policies_json is [] then; NULL: policies_json has it',
  ADD COLUMN policies_sha256 BINARY(32) NULL COMMENT 'of the text in that object; means nothing unless policies_json is []';
