DO $$
BEGIN
    ALTER TABLE video_player_events ADD COLUMN chapter text;
    COMMENT ON COLUMN video_player_events.chapter IS 'Chapter of the video; null if it has none.';
END
$$;
