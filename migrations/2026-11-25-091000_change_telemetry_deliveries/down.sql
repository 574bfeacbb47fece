COMMENT ON COLUMN telemetry_sync_logs.message IS 'What a person should know of it; never a secret.';

DROP INDEX telemetry_deliveries_batch_id_idx;
UPDATE telemetry_deliveries SET batch_id = NULL
WHERE NOT EXISTS (SELECT FROM telemetry_sync_logs WHERE telemetry_sync_logs.id = telemetry_deliveries.batch_id);
ALTER TABLE telemetry_deliveries ADD CONSTRAINT telemetry_deliveries_batch_id_fkey
    FOREIGN KEY (batch_id) REFERENCES telemetry_sync_logs ON DELETE SET NULL;
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id);

COMMENT ON COLUMN telemetry_deliveries.error_class IS 'Kind of the last failure, such as timeout, refused or throttled.';
COMMENT ON COLUMN telemetry_deliveries.maybe_duplicate IS 'Whether it was sent again after an answer that never came, so that it may be there twice.';
ALTER TABLE telemetry_deliveries DROP COLUMN unanswered, DROP COLUMN last_attempt_at;
