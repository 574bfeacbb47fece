-- A statement on a month itself does not fire the triggers of video_player_events, and TRUNCATE fires none of those there
-- were. So each month gets the same triggers, which fire for statements on that month alone.

CREATE FUNCTION forget_truncated_player_events() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    oldest timestamptz;
    newest timestamptz;
BEGIN
    -- As a deletion does: the sync writes the same rows in another order.
    PERFORM pg_advisory_xact_lock(7238261056);
    EXECUTE format('SELECT min(recorded_at), max(recorded_at) FROM %s', TG_RELID::regclass) INTO oldest, newest;
    DELETE FROM telemetry_pending WHERE recorded_at BETWEEN oldest AND newest;
    DELETE FROM telemetry_deliveries
    WHERE driver IN ('ga4', 'mixpanel') AND state IN ('pending', 'retry') AND recorded_at BETWEEN oldest AND newest;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forget_truncated_player_events() IS 'Forgets what is pending of the player events of a month that is truncated.';

-- A row whose moment or id is changed by hand takes what is pending of it along.
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

CREATE FUNCTION watch_player_event_month(month regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER note_pending AFTER INSERT ON %s REFERENCING NEW TABLE AS recorded '
        'FOR EACH STATEMENT EXECUTE FUNCTION note_pending_player_events()', month);
    EXECUTE format('CREATE TRIGGER forget_pending AFTER DELETE ON %s REFERENCING OLD TABLE AS deleted '
        'FOR EACH STATEMENT EXECUTE FUNCTION forget_pending_player_events()', month);
    EXECUTE format('CREATE TRIGGER await_sync BEFORE DELETE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION await_sync_of_player_events()', month);
    EXECUTE format('CREATE TRIGGER follow_pending AFTER UPDATE ON %s REFERENCING OLD TABLE AS before NEW TABLE AS after '
        'FOR EACH STATEMENT WHEN (current_setting(''dataporter.syncs'', true) IS DISTINCT FROM ''on'') '
        'EXECUTE FUNCTION follow_pending_player_events()', month);
    EXECUTE format('CREATE TRIGGER forget_truncated BEFORE TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION forget_truncated_player_events()', month);
END
$$;
COMMENT ON FUNCTION watch_player_event_month(regclass) IS 'Gives a month of player events the triggers that keep what is pending in step with statements on that month itself.';

DO $$
DECLARE
    month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'video_player_events'::regclass LOOP
        PERFORM watch_player_event_month(month);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION ensure_player_event_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    month_start timestamp := date_trunc('month', first_day::timestamp);
    month_name text;
    partition_name text;
    created integer := 0;
BEGIN
    -- The usual case, that all is there, takes no lock.
    WHILE month_start <= last_day LOOP
        partition_name := 'video_player_events_' || to_char(month_start, '"y"YYYY"m"MM');
        IF to_regclass(quote_ident(partition_name)) IS NULL THEN
            -- The lock that attaching takes anyway, taken early: processes that need the same month wait here for the
            -- one that makes it, and then see it. It holds up neither readers nor writers.
            LOCK TABLE video_player_events IN SHARE UPDATE EXCLUSIVE MODE;
            IF to_regclass(quote_ident(partition_name)) IS NULL THEN
                month_name := to_char(month_start, 'YYYY-MM');
                EXECUTE format(
                    'CREATE TABLE %I (LIKE video_player_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS) WITH (fillfactor = 50)',
                    partition_name
                );
                EXECUTE format('COMMENT ON TABLE %I IS %L', partition_name, 'Player events of ' || month_name || ' (UTC).');
                PERFORM watch_player_event_month(quote_ident(partition_name)::regclass);
                EXECUTE format(
                    'ALTER TABLE video_player_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    partition_name,
                    month_start AT TIME ZONE 'UTC',
                    (month_start + interval '1 month') AT TIME ZONE 'UTC'
                );
                created := created + 1;
            END IF;
        END IF;
        month_start := month_start + interval '1 month';
    END LOOP;
    RETURN created;
END
$$;
