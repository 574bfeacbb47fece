-- A table of its own, so that the many events need no index for the few that are pending. Half of each page is free: a row
-- is updated once, when the first driver has an outcome, and deleted when the last one has.
CREATE TABLE telemetry_pending (
    recorded_at timestamptz NOT NULL,
    event_id bigint NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT now(),
    drivers text[] CHECK (cardinality(drivers) > 0),
    PRIMARY KEY (recorded_at, event_id)
) WITH (fillfactor = 50);

COMMENT ON TABLE telemetry_pending IS 'Player events for which at least one driver has no row in telemetry_deliveries. Distribution column: event_id.';
COMMENT ON COLUMN telemetry_pending.recorded_at IS 'When the event happened, as in video_player_events.';
COMMENT ON COLUMN telemetry_pending.event_id IS 'The player event.';
COMMENT ON COLUMN telemetry_pending.arrived_at IS 'When the event arrived at the hub.';
COMMENT ON COLUMN telemetry_pending.drivers IS 'The drivers without a delivery of it. Null while no driver has one: it is then pending for each enabled driver whose sends_from is not later.';

-- The hub's own statements keep both tables consistent, and do not rely on these triggers: recording inserts the pending
-- rows itself (dataporter.notes), and the sync deletes them itself (dataporter.syncs). The triggers are for all other SQL.

CREATE FUNCTION note_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_pending (recorded_at, event_id, arrived_at)
    SELECT recorded_at, id, created_at FROM recorded WHERE synced_at IS NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_pending_player_events() IS 'Inserts the pending rows of inserted player events.';
CREATE TRIGGER note_pending AFTER INSERT ON video_player_events
    REFERENCING NEW TABLE AS recorded
    FOR EACH STATEMENT WHEN (current_setting('dataporter.notes', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION note_pending_player_events();

CREATE FUNCTION forget_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM telemetry_pending AS pending USING deleted
    WHERE pending.recorded_at = deleted.recorded_at AND pending.event_id = deleted.id;
    DELETE FROM telemetry_deliveries AS delivery USING deleted
    WHERE delivery.event_id = deleted.id AND delivery.state IN ('pending', 'retry');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forget_pending_player_events() IS 'Deletes the pending rows and the unfinished deliveries of deleted player events.';
CREATE TRIGGER forget_pending AFTER DELETE ON video_player_events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION forget_pending_player_events();

-- The sync locks rows of the same tables in another order.
CREATE FUNCTION await_sync_of_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7238261056);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION await_sync_of_player_events() IS 'Waits until no transaction is writing deliveries.';
CREATE TRIGGER await_sync BEFORE DELETE ON video_player_events
    FOR EACH STATEMENT EXECUTE FUNCTION await_sync_of_player_events();

CREATE FUNCTION follow_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- Events whose id or recorded_at changes.
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
    -- Events whose synced_at is set or cleared.
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
COMMENT ON FUNCTION follow_pending_player_events() IS 'Updates the pending rows and the deliveries of player events whose id, recorded_at or synced_at is changed by hand.';
CREATE TRIGGER follow_pending AFTER UPDATE ON video_player_events
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT WHEN (current_setting('dataporter.syncs', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION follow_pending_player_events();

CREATE FUNCTION forget_truncated_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    oldest timestamptz;
    newest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(7238261056);
    EXECUTE format('SELECT min(recorded_at), max(recorded_at) FROM %s', TG_RELID::regclass) INTO oldest, newest;
    DELETE FROM telemetry_pending WHERE recorded_at BETWEEN oldest AND newest;
    DELETE FROM telemetry_deliveries
    WHERE driver IN ('ga4', 'mixpanel') AND state IN ('pending', 'retry') AND recorded_at BETWEEN oldest AND newest;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forget_truncated_player_events() IS 'Deletes the pending rows and the unfinished deliveries of a month of player events that is truncated.';
