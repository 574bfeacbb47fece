-- Each event is changed once, when it is synced. With room for that in its page the row is all that changes; without, each
-- of the indexes gets a second entry, which costs more time and more room.
DO $$
DECLARE
    month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'video_player_events'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', month);
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
