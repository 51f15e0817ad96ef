-- Records of the audit log that are in the table that PULUMI_AUDIT_LOGS_DYNAMO_TABLE names, until their rows go.

CREATE TABLE IF NOT EXISTS audit_shipped (
  audit_event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the row of audit_events',
  table_name VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the table outside the database that has it too',
  shipped_at DATETIME(6) NOT NULL COMMENT 'when that table had acknowledged it',
  PRIMARY KEY (audit_event_id, table_name),
  KEY audit_shipped_at (table_name, shipped_at, audit_event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='records that a table elsewhere has too: their rows stay until every reader sees them there';
