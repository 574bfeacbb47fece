-- No foreign key to the events: it would be checked for each of the many rows a run writes, and would keep an old
-- month from being detached. `recorded_at` leads to the event's partition.
CREATE TABLE telemetry_deliveries (
    event_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    first_attempt_at timestamptz,
    next_attempt_at timestamptz,
    lease_until timestamptz,
    delivered_at timestamptz,
    batch_id bigint REFERENCES telemetry_sync_logs ON DELETE SET NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    http_status integer CHECK (http_status BETWEEN 100 AND 599),
    maybe_duplicate boolean NOT NULL DEFAULT false,
    driver text NOT NULL CHECK (driver IN ('ga4', 'mixpanel')),
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'in_flight', 'retry', 'delivered', 'dead', 'expired', 'skipped')),
    lease_owner text,
    endpoint text,
    error_class text,
    error_code text,
    error_message text,
    PRIMARY KEY (event_id, driver),
    CHECK ((state = 'in_flight') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);

-- What a driver owes, oldest event first, and what it may try now.
CREATE INDEX telemetry_deliveries_owed_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('pending', 'in_flight', 'retry');
-- What it gave up on, to be listed and put back.
CREATE INDEX telemetry_deliveries_given_up_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('dead', 'expired');
-- When it last delivered; deliveries per day in the charts.
CREATE INDEX telemetry_deliveries_delivered_at_idx ON telemetry_deliveries (driver, delivered_at)
    WHERE state = 'delivered';
-- What the last batch still owes.
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id);

COMMENT ON TABLE telemetry_deliveries IS 'What became of each player event at each analytics driver.';
COMMENT ON COLUMN telemetry_deliveries.event_id IS 'The player event.';
COMMENT ON COLUMN telemetry_deliveries.recorded_at IS 'When the event happened, as in video_player_events.';
COMMENT ON COLUMN telemetry_deliveries.first_attempt_at IS 'When it was first sent.';
COMMENT ON COLUMN telemetry_deliveries.next_attempt_at IS 'Not to be sent again before this.';
COMMENT ON COLUMN telemetry_deliveries.lease_until IS 'How long the run that is sending it may take; after this the run counts as dead.';
COMMENT ON COLUMN telemetry_deliveries.delivered_at IS 'When the driver accepted it; set exactly when the state is delivered.';
COMMENT ON COLUMN telemetry_deliveries.batch_id IS 'Run that last took it up.';
COMMENT ON COLUMN telemetry_deliveries.attempts IS 'Times it was sent.';
COMMENT ON COLUMN telemetry_deliveries.http_status IS 'HTTP status of the last answer.';
COMMENT ON COLUMN telemetry_deliveries.maybe_duplicate IS 'Whether it was sent again after an answer that never came, so that it may be there twice.';
COMMENT ON COLUMN telemetry_deliveries.driver IS 'ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_deliveries.state IS 'pending, in_flight or retry while it is owed; delivered, dead, expired or skipped at the end.';
COMMENT ON COLUMN telemetry_deliveries.lease_owner IS 'Run that is sending it.';
COMMENT ON COLUMN telemetry_deliveries.endpoint IS 'Address it was last sent to, without its query.';
COMMENT ON COLUMN telemetry_deliveries.error_class IS 'Kind of the last failure, such as timeout, refused or throttled.';
COMMENT ON COLUMN telemetry_deliveries.error_code IS 'The driver''s own code for it.';
COMMENT ON COLUMN telemetry_deliveries.error_message IS 'What the driver said; never a secret.';
