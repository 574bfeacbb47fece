COMMENT ON COLUMN telemetry_deliveries.batch_id IS 'Run that last took it up.';
COMMENT ON COLUMN telemetry_deliveries.state IS 'pending, in_flight or retry while it is owed; delivered, dead, expired or skipped at the end.';
DROP INDEX telemetry_deliveries_owed_idx, telemetry_deliveries_batch_id_idx;
ALTER TABLE telemetry_deliveries
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN lease_owner text,
    DROP CONSTRAINT telemetry_deliveries_state_check,
    ADD CONSTRAINT telemetry_deliveries_state_check
        CHECK (state IN ('pending', 'in_flight', 'retry', 'delivered', 'dead', 'expired', 'skipped')),
    ADD CHECK ((state = 'in_flight') = (lease_until IS NOT NULL AND lease_owner IS NOT NULL));
COMMENT ON COLUMN telemetry_deliveries.lease_until IS 'How long the run that is sending it may take; after this the run counts as dead.';
COMMENT ON COLUMN telemetry_deliveries.lease_owner IS 'Run that is sending it.';
INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, lease_until, lease_owner)
SELECT leased.event_id, leased.recorded_at, driver, 'in_flight', taken_at, run_id::text
FROM telemetry_leases AS lease, unnest(lease.event_ids, lease.recorded_at) AS leased (event_id, recorded_at)
ON CONFLICT (event_id, driver) DO UPDATE
    SET state = 'in_flight', lease_until = excluded.lease_until, lease_owner = excluded.lease_owner;
CREATE INDEX telemetry_deliveries_owed_idx ON telemetry_deliveries (driver, recorded_at, event_id)
    WHERE state IN ('pending', 'in_flight', 'retry');
CREATE INDEX telemetry_deliveries_batch_id_idx ON telemetry_deliveries (batch_id)
    WHERE state IN ('pending', 'in_flight', 'retry');
DROP TABLE telemetry_leases;
