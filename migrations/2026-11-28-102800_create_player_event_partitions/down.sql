DO $$
DECLARE
    month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'video_player_events'::regclass LOOP
        EXECUTE format('DROP TABLE %s', month);
    END LOOP;
END
$$;
DROP FUNCTION ensure_player_event_partitions(date, date);
DROP FUNCTION add_player_event_triggers(regclass);
