CREATE TABLE telemetry_leases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL,
    driver text NOT NULL CHECK (driver IN ('ga4', 'mixpanel')),
    taken_at timestamptz NOT NULL,
    event_ids bigint[] NOT NULL,
    recorded_at timestamptz[] NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE telemetry_leases IS 'Player events in flight, many per row. If their run dies, they may have been delivered.';
COMMENT ON COLUMN telemetry_leases.id IS 'Id of the lease.';
COMMENT ON COLUMN telemetry_leases.run_id IS 'The run that sends them. Only one run holds the run lock, so leases of other runs are stale.';
COMMENT ON COLUMN telemetry_leases.driver IS 'ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_leases.taken_at IS 'When it was stored, just before the first event was sent.';
COMMENT ON COLUMN telemetry_leases.event_ids IS 'The events without an outcome.';
COMMENT ON COLUMN telemetry_leases.recorded_at IS 'When each of these events happened, as in video_player_events.';
