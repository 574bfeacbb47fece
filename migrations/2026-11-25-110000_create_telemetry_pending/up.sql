-- Nothing is recorded until the trigger is there: what comes in between would be owed to nobody.
LOCK TABLE video_player_events IN SHARE ROW EXCLUSIVE MODE;

-- A table of its own, so that no index of the many events has to be kept for the few that are pending. Half of a page
-- stays free: a row is changed once, in its place, when the first driver has its record, and goes with the last.
CREATE TABLE telemetry_pending (
    recorded_at timestamptz NOT NULL,
    event_id bigint NOT NULL,
    drivers text[] CHECK (cardinality(drivers) > 0),
    PRIMARY KEY (recorded_at, event_id)
) WITH (fillfactor = 50);

COMMENT ON TABLE telemetry_pending IS 'Player events that some driver has no delivery record of yet, from the moment they are recorded.';
COMMENT ON COLUMN telemetry_pending.recorded_at IS 'When the event happened, as in video_player_events.';
COMMENT ON COLUMN telemetry_pending.event_id IS 'The player event.';
COMMENT ON COLUMN telemetry_pending.drivers IS 'The drivers that have no record of it; null while none has one, and it is owed to whichever are enabled.';

INSERT INTO telemetry_pending (recorded_at, event_id)
SELECT recorded_at, id FROM video_player_events AS event
WHERE synced_at IS NULL AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id);

DROP INDEX video_player_events_pending_idx;

-- Whoever records an event, and however, owes it.
CREATE FUNCTION note_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_pending (recorded_at, event_id)
    SELECT recorded_at, id FROM recorded WHERE synced_at IS NULL;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_pending_player_events() IS 'Notes recorded player events as pending.';
CREATE TRIGGER note_pending AFTER INSERT ON video_player_events
    REFERENCING NEW TABLE AS recorded
    FOR EACH STATEMENT EXECUTE FUNCTION note_pending_player_events();

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
COMMENT ON FUNCTION forget_pending_player_events() IS 'Forgets what was owed of deleted player events.';
CREATE TRIGGER forget_pending AFTER DELETE ON video_player_events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION forget_pending_player_events();

-- Whoever deletes events takes turns with the sync, which changes rows of the same tables in another order.
CREATE FUNCTION await_sync_of_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7238261056);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION await_sync_of_player_events() IS 'Waits until the sync has written down what it is about to.';
CREATE TRIGGER await_sync BEFORE DELETE ON video_player_events
    FOR EACH STATEMENT EXECUTE FUNCTION await_sync_of_player_events();

-- The sync keeps both tables itself and says so on its connections. Whoever else changes synced_at, by hand, is followed.
CREATE FUNCTION follow_pending_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM telemetry_pending AS pending USING before, after
    WHERE before.recorded_at = after.recorded_at AND before.id = after.id
        AND before.synced_at IS NULL AND after.synced_at IS NOT NULL
        AND pending.recorded_at = after.recorded_at AND pending.event_id = after.id;
    INSERT INTO telemetry_pending (recorded_at, event_id)
    SELECT after.recorded_at, after.id FROM before JOIN after USING (recorded_at, id)
    WHERE before.synced_at IS NOT NULL AND after.synced_at IS NULL
        AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = after.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION follow_pending_player_events() IS 'Keeps what is pending in step with player events whose synced_at somebody changes.';
CREATE TRIGGER follow_pending AFTER UPDATE ON video_player_events
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT WHEN (current_setting('dataporter.syncs', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION follow_pending_player_events();
