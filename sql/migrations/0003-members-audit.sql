-- Changes of members that exclude each other, and the audit log by event and by user.

ALTER TABLE organizations
  ADD COLUMN members_version BIGINT NOT NULL DEFAULT 0 COMMENT 'grows with each change of members: two at once exclude each other';

ALTER TABLE audit_events
  ADD KEY audit_events_event (organization_id, event, id);

ALTER TABLE audit_events
  ADD KEY audit_events_user (organization_id, user_id, id);
