-- How often a send went without an answer decides whether it may be sent once more; whether it may be there twice is
-- another matter, since some answers do not tell either.
ALTER TABLE telemetry_deliveries
    ADD COLUMN last_attempt_at timestamptz,
    ADD COLUMN unanswered integer NOT NULL DEFAULT 0 CHECK (unanswered >= 0);

COMMENT ON COLUMN telemetry_deliveries.last_attempt_at IS 'When it was last sent.';
COMMENT ON COLUMN telemetry_deliveries.unanswered IS 'Times it was sent and no answer came, or the run that was sending it died.';
COMMENT ON COLUMN telemetry_deliveries.maybe_duplicate IS 'Whether it was sent again, or would have to be, without knowing that the first time had failed, so that it may be there twice.';
COMMENT ON COLUMN telemetry_deliveries.error_class IS 'Kind of the last failure, such as ambiguous, throttled or refused.';

-- The run is not looked up for each of the many rows that it writes, and its rows are sought only while they are owed.
ALTER TABLE telemetry_deliveries DROP CONSTRAINT telemetry_deliveries_batch_id_fkey;
DROP INDEX telemetry_deliveries_batch_id_idx;
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id)
    WHERE state IN ('pending', 'in_flight', 'retry');

COMMENT ON COLUMN telemetry_sync_logs.message IS 'What a person should know of it, as data that is put into words for its reader; never a secret.';
