-- Trust in other identity providers: OIDC issuers, their policies, and access tokens that an exchange gave out.

ALTER TABLE access_tokens
  MODIFY COLUMN user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'whom it speaks for; NULL: the organization itself';

ALTER TABLE access_tokens
  ADD COLUMN organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the one organization that it reaches; NULL: all of its user',
  ADD COLUMN role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'admin or member, when it speaks for the organization; NULL: what its user is',
  ADD COLUMN issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'OIDC issuer whose token was exchanged for it; NULL: none',
  ADD KEY access_tokens_issuer (organization_id, issuer_id);

CREATE TABLE IF NOT EXISTS oidc_issuers (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(100) NOT NULL COMMENT 'display name; unique in the organization',
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
  UNIQUE KEY oidc_issuers_name (organization_id, name),
  UNIQUE KEY oidc_issuers_issuer (organization_id, issuer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='identity providers whose tokens an organization takes';

CREATE TABLE IF NOT EXISTS auth_policies (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'exactly one policy for each issuer',
  version BIGINT NOT NULL COMMENT 'grows with each change, from 1',
  policies_json MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'list of definitions as the API shows them',
  created_at DATETIME(6) NOT NULL,
  modified_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY auth_policies_issuer (organization_id, issuer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='which tokens of an OIDC issuer are exchanged for what';

CREATE TABLE IF NOT EXISTS refresh_tokens (
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is never stored',
  family_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7; the same for all that came out of one exchange',
  organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'OIDC issuer whose token was exchanged at first',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as the access tokens have it',
  role VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as the access tokens have it',
  name VARCHAR(255) NOT NULL COMMENT 'as the access tokens have it',
  description VARCHAR(256) NOT NULL COMMENT 'as the access tokens have it',
  scope VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as it was asked for',
  lifetime BIGINT NOT NULL COMMENT 'of an access token, seconds',
  access_token_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the access token that it was given out with',
  successor_sha256 BINARY(32) NULL COMMENT 'what it was used for; NULL: it was not used',
  used_at DATETIME(6) NULL COMMENT 'good for one use',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL COMMENT 'when the family ends: refreshing does not move it',
  PRIMARY KEY (token_sha256),
  KEY refresh_tokens_family (organization_id, family_id),
  KEY refresh_tokens_issuer (organization_id, issuer_id),
  KEY refresh_tokens_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='refresh tokens given out with access tokens of an exchange';
