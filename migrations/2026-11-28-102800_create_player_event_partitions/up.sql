-- Statements on a month itself do not fire the triggers of video_player_events, and TRUNCATE fires none of them. Each month
-- therefore has the same triggers, which fire for statements on that month only.
CREATE FUNCTION add_player_event_triggers(month regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER note_pending AFTER INSERT ON %s REFERENCING NEW TABLE AS recorded '
        'FOR EACH STATEMENT WHEN (current_setting(''dataporter.notes'', true) IS DISTINCT FROM ''on'') '
        'EXECUTE FUNCTION note_pending_player_events()', month);
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
COMMENT ON FUNCTION add_player_event_triggers(regclass) IS 'Adds the triggers to a month of player events that keep its pending rows consistent.';

-- There is no default partition, because it would be locked and scanned each time a month is added.
--
-- A month is created and then attached, which does not block readers and writers of other months. CREATE TABLE … PARTITION
-- OF would wait for the longest export, and all other sessions would queue after it.
CREATE FUNCTION ensure_player_event_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    month_start timestamp := date_trunc('month', first_day::timestamp);
    month_name text;
    partition_name text;
    created integer := 0;
BEGIN
    WHILE month_start <= last_day LOOP
        partition_name := 'video_player_events_' || to_char(month_start, '"y"YYYY"m"MM');
        -- Usually the month exists, and no lock is taken.
        IF to_regclass(quote_ident(partition_name)) IS NULL THEN
            -- The lock that ATTACH takes too. Taken early, it makes other sessions that need the same month wait for this
            -- one. It blocks neither readers nor writers.
            LOCK TABLE video_player_events IN SHARE UPDATE EXCLUSIVE MODE;
            IF to_regclass(quote_ident(partition_name)) IS NULL THEN
                month_name := to_char(month_start, 'YYYY-MM');
                -- Each event is updated once, when it is synced. With free space in its page, the update adds no entries
                -- to the indexes.
                EXECUTE format(
                    'CREATE TABLE %I (LIKE video_player_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS) WITH (fillfactor = 50)',
                    partition_name
                );
                EXECUTE format('COMMENT ON TABLE %I IS %L', partition_name, 'Player events of ' || month_name || ' (UTC).');
                PERFORM add_player_event_triggers(quote_ident(partition_name)::regclass);
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
COMMENT ON FUNCTION ensure_player_event_partitions(date, date) IS 'Creates the missing monthly partitions (UTC) of video_player_events for a range of days, and returns their number. Sessions may call it concurrently.';

SELECT ensure_player_event_partitions(
    ((now() AT TIME ZONE 'UTC') - interval '2 months')::date,
    ((now() AT TIME ZONE 'UTC') + interval '3 months')::date
);
