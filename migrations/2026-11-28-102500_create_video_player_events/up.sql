CREATE SEQUENCE video_player_events_id_seq;

-- There are no foreign keys. They would lock the rows that each event refers to, so that a change of those rows could block
-- recording, and they would be checked for each event. The statement that records events looks up users and lessons.
--
-- The order of the columns minimizes padding: eight bytes, four bytes, then the others.
CREATE TABLE video_player_events (
    id bigint NOT NULL DEFAULT nextval('video_player_events_id_seq'),
    recorded_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    synced_at timestamptz,
    user_id bigint,
    course_id bigint,
    lesson_id bigint,
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
    -- Read backwards, the key is the order of the dataset in every partition.
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);

ALTER SEQUENCE video_player_events_id_seq OWNED BY video_player_events.id;

-- Every index makes recording slower, so there is one for each filter, and none for frequent values.
CREATE INDEX video_player_events_course_id_idx ON video_player_events (course_id, recorded_at, id);
CREATE INDEX video_player_events_lesson_id_idx ON video_player_events (lesson_id, recorded_at, id);
-- A viewer's session before an event, for the analytics services. It also finds a person's events when their data is erased.
CREATE INDEX video_player_events_user_id_idx ON video_player_events (user_id, recorded_at);
-- Most events are progress events, which any other index finds.
CREATE INDEX video_player_events_event_idx ON video_player_events (event, recorded_at, id)
    WHERE event <> 'progress_tick';
CREATE INDEX video_player_events_provider_idx ON video_player_events (provider, recorded_at, id)
    WHERE provider IS NOT NULL;

COMMENT ON SEQUENCE video_player_events_id_seq IS 'Ids of player events, across all partitions.';
COMMENT ON TABLE video_player_events IS 'Raw events of video players, partitioned by month of recorded_at (UTC). Distribution column: id.';
COMMENT ON COLUMN video_player_events.id IS 'Unique across partitions. Breaks ties in the order of the dataset.';
COMMENT ON COLUMN video_player_events.recorded_at IS 'When it happened in the player; the date of the dataset.';
COMMENT ON COLUMN video_player_events.created_at IS 'When it arrived at the hub.';
COMMENT ON COLUMN video_player_events.synced_at IS 'When it had a final outcome for every enabled analytics driver; null while it is pending, and for events that were too old when the first driver was enabled.';
COMMENT ON COLUMN video_player_events.user_id IS 'The viewer; null for a guest or an erased user.';
COMMENT ON COLUMN video_player_events.course_id IS 'Course of the lesson when the event happened.';
COMMENT ON COLUMN video_player_events.lesson_id IS 'The lesson; null if the player was not in a lesson.';
COMMENT ON COLUMN video_player_events.playback_rate IS 'Playback rate; 1 is normal speed.';
COMMENT ON COLUMN video_player_events.playback_seconds IS 'Position in the video, in seconds.';
COMMENT ON COLUMN video_player_events.watched_seconds IS 'Time watched so far, in seconds, as counted by the player.';
COMMENT ON COLUMN video_player_events.video_duration IS 'Length of the video, in seconds; null if unknown.';
COMMENT ON COLUMN video_player_events.client_event_id IS 'Id that the player generated, by which a retry is recognized.';
COMMENT ON COLUMN video_player_events.event IS 'Name of the event: progress_tick, play, pause, seek, cta_click and others.';
COMMENT ON COLUMN video_player_events.provider IS 'Host of the video: youtube, vimeo, cloudflare or another.';
COMMENT ON COLUMN video_player_events.context_tag IS 'Part of the page where it happened.';
COMMENT ON COLUMN video_player_events.metadata IS 'Other data of the player.';
