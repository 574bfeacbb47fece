-- There is no foreign key to the events or to the run: it would be checked for each of the many rows that a run writes, and
-- would prevent an old month from being detached. recorded_at leads to the partition of the event.
CREATE TABLE telemetry_deliveries (
    event_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    arrived_at timestamptz,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    next_attempt_at timestamptz,
    delivered_at timestamptz,
    batch_id bigint,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    unanswered integer NOT NULL DEFAULT 0 CHECK (unanswered >= 0),
    http_status integer CHECK (http_status BETWEEN 100 AND 599),
    maybe_duplicate boolean NOT NULL DEFAULT false,
    driver text NOT NULL CHECK (driver IN ('ga4', 'mixpanel')),
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'retry', 'delivered', 'dead', 'expired', 'skipped')),
    endpoint text,
    error_class text,
    error_code text,
    error_message text,
    PRIMARY KEY (event_id, driver),
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);

-- A driver's unfinished deliveries, oldest event first.
CREATE INDEX telemetry_deliveries_pending_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('pending', 'retry');
-- Deliveries to list and to requeue.
CREATE INDEX telemetry_deliveries_dead_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('dead', 'expired');
-- Deliveries that were skipped when a driver was forgotten, to requeue without reading the delivered ones.
CREATE INDEX telemetry_deliveries_skipped_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state = 'skipped';
-- The last delivery, and the deliveries per day in charts.
CREATE INDEX telemetry_deliveries_delivered_at_idx ON telemetry_deliveries (driver, delivered_at)
    WHERE state = 'delivered';
-- The unfinished deliveries of a run.
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id)
    WHERE state IN ('pending', 'retry');

COMMENT ON TABLE telemetry_deliveries IS 'Deliveries of player events to analytics drivers. An event gets a row for a driver with its first outcome, or when its run ends while it is pending for that driver. Distribution column: event_id.';
COMMENT ON COLUMN telemetry_deliveries.event_id IS 'The player event.';
COMMENT ON COLUMN telemetry_deliveries.recorded_at IS 'When the event happened, as in video_player_events.';
COMMENT ON COLUMN telemetry_deliveries.arrived_at IS 'When the event arrived at the hub; null if it was delivered at the first attempt.';
COMMENT ON COLUMN telemetry_deliveries.first_attempt_at IS 'When it was first sent.';
COMMENT ON COLUMN telemetry_deliveries.last_attempt_at IS 'When it was last sent.';
COMMENT ON COLUMN telemetry_deliveries.next_attempt_at IS 'It is not sent again before this time.';
COMMENT ON COLUMN telemetry_deliveries.delivered_at IS 'When the driver accepted it; set exactly when the state is delivered.';
COMMENT ON COLUMN telemetry_deliveries.batch_id IS 'The last run that processed it.';
COMMENT ON COLUMN telemetry_deliveries.attempts IS 'Number of attempts.';
COMMENT ON COLUMN telemetry_deliveries.unanswered IS 'Number of attempts without a response, including those of runs that died.';
COMMENT ON COLUMN telemetry_deliveries.http_status IS 'HTTP status of the last response.';
COMMENT ON COLUMN telemetry_deliveries.maybe_duplicate IS 'Whether an attempt may have succeeded before another one was made or became necessary, so that the service may have the event twice.';
COMMENT ON COLUMN telemetry_deliveries.driver IS 'ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_deliveries.state IS 'pending or retry while unfinished; finally delivered, dead, expired or skipped.';
COMMENT ON COLUMN telemetry_deliveries.endpoint IS 'URL that it was last sent to, without the query.';
COMMENT ON COLUMN telemetry_deliveries.error_class IS 'Class of the last failure, such as ambiguous, throttled or refused.';
COMMENT ON COLUMN telemetry_deliveries.error_code IS 'The driver''s error code.';
COMMENT ON COLUMN telemetry_deliveries.error_message IS 'The driver''s error message; never contains a secret.';
