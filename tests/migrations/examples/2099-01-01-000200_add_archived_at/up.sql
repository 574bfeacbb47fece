DO $$
BEGIN
    PERFORM lock_tables('users', 'lessons', 'video_progress');
    ALTER TABLE users ADD COLUMN archived_at timestamptz;
    COMMENT ON COLUMN users.archived_at IS 'When the user was archived; null if not.';
    ALTER TABLE lessons ADD COLUMN archived_at timestamptz;
    COMMENT ON COLUMN lessons.archived_at IS 'When the lesson was archived; null if not.';
    ALTER TABLE video_progress ADD COLUMN archived_at timestamptz;
    COMMENT ON COLUMN video_progress.archived_at IS 'When the progress was archived; null if not.';
END
$$;
