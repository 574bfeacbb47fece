-- Every progress event updates a row. The key therefore is the only index, and each page has free space, so that the
-- update can stay in the page.
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

COMMENT ON TABLE video_progress IS 'Progress of each user in the video of each lesson. Distribution column: user_id.';
COMMENT ON COLUMN video_progress.user_id IS 'The viewer; the row is deleted with the user.';
COMMENT ON COLUMN video_progress.lesson_id IS 'The lesson.';
COMMENT ON COLUMN video_progress.created_at IS 'When the viewer first watched it.';
COMMENT ON COLUMN video_progress.updated_at IS 'When the viewer last watched it.';
COMMENT ON COLUMN video_progress.playback_rate IS 'Last playback rate; 1 is normal speed.';
COMMENT ON COLUMN video_progress.last_second IS 'Last reported position, in seconds.';
COMMENT ON COLUMN video_progress.furthest_second IS 'Furthest reported position, in seconds.';
COMMENT ON COLUMN video_progress.watched_seconds IS 'Time watched, in seconds.';
COMMENT ON COLUMN video_progress.duration IS 'Length of the video, in seconds; null if unknown.';
COMMENT ON COLUMN video_progress.source IS 'Video player: vimeo, cloudflare or youtube.';
