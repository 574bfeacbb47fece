CREATE TABLE telemetry_leases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL,
    driver text NOT NULL CHECK (driver IN ('ga4', 'mixpanel')),
    taken_at timestamptz NOT NULL,
    event_ids bigint[] NOT NULL,
    recorded_at timestamptz[] NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE telemetry_leases IS 'Player events that a run of the sync is sending at this moment, many to a row: when it dies, they are perhaps sent.';
COMMENT ON COLUMN telemetry_leases.id IS 'Id of the lease.';
COMMENT ON COLUMN telemetry_leases.run_id IS 'The run that sends them. It is the only one, by a lock that goes with its process; leases of any other are of a run that died.';
COMMENT ON COLUMN telemetry_leases.driver IS 'To whom: ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_leases.taken_at IS 'When it was taken, just before the first of them was sent.';
COMMENT ON COLUMN telemetry_leases.event_ids IS 'Those of them that have no verdict yet.';
COMMENT ON COLUMN telemetry_leases.recorded_at IS 'When each of them happened, as in video_player_events.';

INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at)
SELECT lease_owner::bigint, driver, now(), array_agg(event_id ORDER BY event_id), array_agg(recorded_at ORDER BY event_id)
FROM telemetry_deliveries WHERE state = 'in_flight' GROUP BY lease_owner, driver;

DROP INDEX telemetry_deliveries_owed_idx, telemetry_deliveries_batch_id_idx;
UPDATE telemetry_deliveries
SET state = CASE WHEN attempts > 0 THEN 'retry' ELSE 'pending' END, lease_until = NULL, lease_owner = NULL
WHERE state = 'in_flight';
ALTER TABLE telemetry_deliveries
    DROP COLUMN lease_until,
    DROP COLUMN lease_owner,
    DROP CONSTRAINT telemetry_deliveries_state_check,
    ADD CONSTRAINT telemetry_deliveries_state_check
        CHECK (state IN ('pending', 'retry', 'delivered', 'dead', 'expired', 'skipped'));
-- What a driver is still owed of what is on record, oldest event first.
CREATE INDEX telemetry_deliveries_owed_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('pending', 'retry');
-- What a batch still owes.
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id)
    WHERE state IN ('pending', 'retry');

COMMENT ON COLUMN telemetry_deliveries.state IS 'pending or retry while it is owed; delivered, dead, expired or skipped at the end.';
COMMENT ON COLUMN telemetry_deliveries.batch_id IS 'Run that last had to do with it.';
