-- How long an event has waited is counted from when it arrived: what a player kept while it was offline may be days old.
-- What is pending already has no such time and counts from when it happened, as before.
ALTER TABLE telemetry_pending ADD COLUMN arrived_at timestamptz;
ALTER TABLE telemetry_pending ALTER COLUMN arrived_at SET DEFAULT now();
ALTER TABLE telemetry_deliveries ADD COLUMN arrived_at timestamptz;

COMMENT ON COLUMN telemetry_pending.arrived_at IS 'When the event reached the hub; null for one from before this was kept.';
COMMENT ON COLUMN telemetry_deliveries.arrived_at IS 'When the event reached the hub; null for one that was delivered at once, which waits no more, and for one from before this was kept.';

CREATE OR REPLACE FUNCTION note_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at)
    SELECT recorded_at, id, created_at FROM recorded WHERE synced_at IS NULL;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION follow_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM before WHERE NOT EXISTS (SELECT FROM after
            WHERE after.recorded_at = before.recorded_at AND after.id = before.id)) THEN
        UPDATE telemetry_pending AS pending SET recorded_at = after.recorded_at
        FROM before JOIN after USING (id)
        WHERE before.recorded_at <> after.recorded_at
            AND pending.recorded_at = before.recorded_at AND pending.event_id = before.id;
        UPDATE telemetry_deliveries AS delivery SET recorded_at = after.recorded_at
        FROM before JOIN after USING (id)
        WHERE before.recorded_at <> after.recorded_at AND delivery.event_id = after.id;
        DELETE FROM telemetry_pending AS pending USING before
        WHERE pending.recorded_at = before.recorded_at AND pending.event_id = before.id
            AND NOT EXISTS (SELECT FROM after WHERE after.id = before.id);
        DELETE FROM telemetry_deliveries AS delivery USING before
        WHERE delivery.event_id = before.id AND delivery.state IN ('pending', 'retry')
            AND NOT EXISTS (SELECT FROM after WHERE after.id = before.id);
        INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at)
        SELECT recorded_at, id, created_at FROM after
        WHERE synced_at IS NULL AND NOT EXISTS (SELECT FROM before WHERE before.id = after.id)
        ON CONFLICT DO NOTHING;
    END IF;
    DELETE FROM telemetry_pending AS pending USING before, after
    WHERE before.id = after.id
        AND before.synced_at IS NULL AND after.synced_at IS NOT NULL
        AND pending.recorded_at = after.recorded_at AND pending.event_id = after.id;
    INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at)
    SELECT after.recorded_at, after.id, after.created_at FROM before JOIN after USING (id)
    WHERE before.synced_at IS NOT NULL AND after.synced_at IS NULL
        AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = after.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
