DO $$
BEGIN
    PERFORM lock_tables('users', 'lessons', 'video_progress');
    ALTER TABLE video_progress DROP COLUMN archived_at;
    ALTER TABLE lessons DROP COLUMN archived_at;
    ALTER TABLE users DROP COLUMN archived_at;
END
$$;
