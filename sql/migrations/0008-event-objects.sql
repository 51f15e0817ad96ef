-- Large batches of engine events may be objects.

ALTER TABLE event_batches
  ADD COLUMN in_object TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'body is empty: an object of the store for engine events holds it';
