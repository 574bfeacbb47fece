DO $$
BEGIN
    PERFORM lock_tables('users', 'lessons', 'video_progress');
    ALTER TABLE users ADD COLUMN archived_at timestamptz;
    ALTER TABLE lessons ADD COLUMN archived_at timestamptz;
    ALTER TABLE video_progress ADD COLUMN archived_at timestamptz;
    COMMENT ON COLUMN video_progress.archived_at IS 'When the lesson was archived.';
END
$$;
