-- The pair is the key: one index less on a row that every tick updates. Free space in each page keeps those updates
-- in place.
CREATE TABLE video_progress (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    lesson_id bigint NOT NULL REFERENCES lessons ON DELETE RESTRICT,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    playback_rate double precision NOT NULL DEFAULT 1
        CHECK (playback_rate > 0 AND playback_rate < 'Infinity'),
    last_second integer NOT NULL DEFAULT 0 CHECK (last_second >= 0),
    furthest_second integer NOT NULL DEFAULT 0 CHECK (furthest_second >= last_second),
    watched_seconds integer NOT NULL DEFAULT 0 CHECK (watched_seconds >= 0),
    duration integer CHECK (duration >= 0),
    source text NOT NULL CHECK (source IN ('vimeo', 'cloudflare', 'youtube')),
    PRIMARY KEY (user_id, lesson_id)
) WITH (fillfactor = 80);

COMMENT ON TABLE video_progress IS 'How far each user has come in the video of each lesson.';
COMMENT ON COLUMN video_progress.user_id IS 'The viewer; the progress goes with the user.';
COMMENT ON COLUMN video_progress.lesson_id IS 'The lesson.';
COMMENT ON COLUMN video_progress.created_at IS 'When the viewer first watched.';
COMMENT ON COLUMN video_progress.updated_at IS 'When the viewer last watched.';
COMMENT ON COLUMN video_progress.playback_rate IS 'Speed last used, 1 being normal.';
COMMENT ON COLUMN video_progress.last_second IS 'Position last reported, in seconds.';
COMMENT ON COLUMN video_progress.furthest_second IS 'Furthest position ever reported, in seconds.';
COMMENT ON COLUMN video_progress.watched_seconds IS 'Time spent watching, in seconds.';
COMMENT ON COLUMN video_progress.duration IS 'Length of the video in seconds, where it is known.';
COMMENT ON COLUMN video_progress.source IS 'Player: vimeo, cloudflare or youtube.';
