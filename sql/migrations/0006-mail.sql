-- Mails that wait to be sent, how often somebody caused one, tokens that travel in mails, and invitations.

CREATE TABLE mail_messages (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7, also in the Message-ID',
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what it is about, e.g. verify-email',
  recipient VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the one address that it goes to',
  subject VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  message MEDIUMBLOB NULL COMMENT 'headers and body as they are sent; NULL: sent, so that no link stays here',
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'waiting, sent or failed',
  attempts BIGINT NOT NULL DEFAULT 0 COMMENT 'grows with each claim: who changed it from n to n+1 may send',
  next_attempt_at DATETIME(6) NOT NULL COMMENT 'due from then on; while it is being sent, when it counts as not sent',
  give_up_at DATETIME(6) NOT NULL COMMENT 'an attempt that fails later is the last one',
  created_at DATETIME(6) NOT NULL,
  sent_at DATETIME(6) NULL,
  problem VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '' COMMENT 'why the last attempt failed',
  PRIMARY KEY (id),
  KEY mail_messages_due (state, next_attempt_at),
  KEY mail_messages_age (state, created_at)
) COMMENT='mails, written in the transaction of their cause';

CREATE TABLE mail_limits (
  subject BINARY(32) NOT NULL COMMENT 'SHA-256 of what is limited, e.g. mails to one address',
  period BIGINT NOT NULL COMMENT 'hours since 1970',
  uses BIGINT NOT NULL COMMENT 'so far in this hour',
  PRIMARY KEY (subject, period),
  KEY mail_limits_period (period)
) COMMENT='how often something was done in an hour';

CREATE TABLE email_tokens (
  token_sha256 BINARY(32) NOT NULL COMMENT 'the value itself is in the mail only',
  user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'verify or reset',
  email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL COMMENT 'where it was sent: good only while it is the address of the user',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (token_sha256),
  KEY email_tokens_user (user_id, purpose),
  KEY email_tokens_expires (expires_at)
) COMMENT='what a link in a mail proves, once';

ALTER TABLE users
  ADD COLUMN email_verified_at DATETIME(6) NULL COMMENT 'when the user showed that the address is its own; NULL: not yet';

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
  UNIQUE KEY organization_invites_token (token_sha256),
  KEY organization_invites_organization (organization_id, state, id),
  KEY organization_invites_email (email, state)
) COMMENT='invitations to join an organization';
