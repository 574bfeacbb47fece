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

DO $$
DECLARE
    month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'video_player_events'::regclass LOOP
        EXECUTE format('DROP TRIGGER note_pending ON %s', month);
        EXECUTE format('DROP TRIGGER forget_pending ON %s', month);
        EXECUTE format('DROP TRIGGER await_sync ON %s', month);
        EXECUTE format('DROP TRIGGER follow_pending ON %s', month);
        EXECUTE format('DROP TRIGGER forget_truncated ON %s', month);
    END LOOP;
END
$$;
DROP FUNCTION watch_player_event_month(regclass);
DROP FUNCTION forget_truncated_player_events();
CREATE OR REPLACE FUNCTION follow_pending_player_events() RETURNS trigger
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
