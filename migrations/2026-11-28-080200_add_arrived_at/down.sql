CREATE OR REPLACE FUNCTION note_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_pending (recorded_at, event_id)
    SELECT recorded_at, id FROM recorded WHERE synced_at IS NULL;
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
        INSERT INTO telemetry_pending (recorded_at, event_id)
        SELECT recorded_at, id FROM after
        WHERE synced_at IS NULL AND NOT EXISTS (SELECT FROM before WHERE before.id = after.id)
        ON CONFLICT DO NOTHING;
    END IF;
    DELETE FROM telemetry_pending AS pending USING before, after
    WHERE before.id = after.id
        AND before.synced_at IS NULL AND after.synced_at IS NOT NULL
        AND pending.recorded_at = after.recorded_at AND pending.event_id = after.id;
    INSERT INTO telemetry_pending (recorded_at, event_id)
    SELECT after.recorded_at, after.id FROM before JOIN after USING (id)
    WHERE before.synced_at IS NOT NULL AND after.synced_at IS NULL
        AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = after.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

ALTER TABLE telemetry_pending DROP COLUMN arrived_at;
ALTER TABLE telemetry_deliveries DROP COLUMN arrived_at;
