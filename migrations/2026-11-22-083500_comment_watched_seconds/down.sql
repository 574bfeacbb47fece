COMMENT ON COLUMN video_player_events.watched_seconds IS 'Time watched since the previous event, in seconds.';
