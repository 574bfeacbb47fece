CREATE SEQUENCE video_player_events_id_seq;

-- Columns stand in the order that packs a row tightest: eight bytes, then four, then the rest.
CREATE TABLE video_player_events (
    id bigint NOT NULL DEFAULT nextval('video_player_events_id_seq'),
    recorded_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    synced_at timestamptz,
    user_id bigint REFERENCES users ON DELETE SET NULL,
    course_id bigint REFERENCES courses ON DELETE RESTRICT,
    lesson_id bigint REFERENCES lessons ON DELETE RESTRICT,
    playback_rate double precision NOT NULL DEFAULT 1
        CHECK (playback_rate >= 0 AND playback_rate < 'Infinity'),
    playback_seconds integer NOT NULL DEFAULT 0 CHECK (playback_seconds >= 0),
    watched_seconds integer NOT NULL DEFAULT 0 CHECK (watched_seconds >= 0),
    video_duration integer CHECK (video_duration >= 0),
    client_event_id uuid,
    event text NOT NULL CHECK (event ~ '^[A-Za-z0-9._-]{1,50}$'),
    provider text CHECK (char_length(provider) BETWEEN 1 AND 20),
    context_tag text NOT NULL DEFAULT 'player' CHECK (char_length(context_tag) BETWEEN 1 AND 50),
    metadata jsonb,
    -- In this order, so that the key itself, read backwards, is the dataset's stable order in every partition.
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);

ALTER SEQUENCE video_player_events_id_seq OWNED BY video_player_events.id;

-- Each index costs every tick that comes in, so there is one per filter that selects little, and none for `provider`,
-- whose few values the order of another index finds soon enough.
CREATE INDEX video_player_events_course_id_idx ON video_player_events (course_id, recorded_at, id);
CREATE INDEX video_player_events_lesson_id_idx ON video_player_events (lesson_id, recorded_at, id);
-- A viewer's session before an event, for the analytics services; and erasing what a person left.
CREATE INDEX video_player_events_user_id_idx ON video_player_events (user_id, recorded_at);
-- Ticks are most of the events and need no index to be found; the rarer kinds do.
CREATE INDEX video_player_events_event_idx ON video_player_events (event, recorded_at, id)
    WHERE event <> 'progress_tick';
-- What the sync owes, oldest first; empty when all is delivered.
CREATE INDEX video_player_events_pending_idx ON video_player_events (recorded_at, id)
    WHERE synced_at IS NULL;

-- No default partition: it would have to be scanned, locked, each time a month is added.
--
-- A month is made apart and then attached, which does not block readers and writers of the other months;
-- CREATE TABLE … PARTITION OF would wait for the longest export, and everything else behind it.
CREATE FUNCTION ensure_player_event_partitions(first_day date, last_day date) RETURNS integer
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
                    'CREATE TABLE %I (LIKE video_player_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)',
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

COMMENT ON FUNCTION ensure_player_event_partitions(date, date) IS 'Makes the missing monthly partitions of video_player_events from one day to another, whole months in UTC; answers how many it made. Safe to call from several processes at once.';
COMMENT ON SEQUENCE video_player_events_id_seq IS 'Ids of player events, across all partitions.';
COMMENT ON TABLE video_player_events IS 'Raw events of the video player, partitioned by month of recorded_at (UTC).';
COMMENT ON COLUMN video_player_events.id IS 'Unique across partitions; ties in recorded_at are broken by it.';
COMMENT ON COLUMN video_player_events.recorded_at IS 'When it happened in the player; the date of the dataset.';
COMMENT ON COLUMN video_player_events.created_at IS 'When it reached the hub.';
COMMENT ON COLUMN video_player_events.synced_at IS 'When every enabled analytics driver had a final verdict; null while one is owed.';
COMMENT ON COLUMN video_player_events.user_id IS 'The viewer; null for a guest or an erased user.';
COMMENT ON COLUMN video_player_events.course_id IS 'Course of the lesson when the event happened.';
COMMENT ON COLUMN video_player_events.lesson_id IS 'The lesson; null when the player stood outside of one.';
COMMENT ON COLUMN video_player_events.playback_rate IS 'Speed, 1 being normal.';
COMMENT ON COLUMN video_player_events.playback_seconds IS 'Position in the video, in seconds.';
COMMENT ON COLUMN video_player_events.watched_seconds IS 'Time watched since the previous event, in seconds.';
COMMENT ON COLUMN video_player_events.video_duration IS 'Length of the video in seconds, where it is known.';
COMMENT ON COLUMN video_player_events.client_event_id IS 'Id that the player made, by which a retry is recognised.';
COMMENT ON COLUMN video_player_events.event IS 'Kind of event: progress_tick, play, pause, seek, cta_click and others.';
COMMENT ON COLUMN video_player_events.provider IS 'Where the video comes from: youtube, vimeo, cloudflare or another.';
COMMENT ON COLUMN video_player_events.context_tag IS 'Part of the page it happened in.';
COMMENT ON COLUMN video_player_events.metadata IS 'What else the player said.';

-- After the comments, which the months copy.
SELECT ensure_player_event_partitions(
    ((now() AT TIME ZONE 'UTC') - interval '2 months')::date,
    ((now() AT TIME ZONE 'UTC') + interval '3 months')::date
);
