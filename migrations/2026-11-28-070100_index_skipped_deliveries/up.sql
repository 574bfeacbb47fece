-- What was skipped when a driver was forgotten is found by requeue without reading what was delivered.
CREATE INDEX telemetry_deliveries_skipped_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state = 'skipped';
