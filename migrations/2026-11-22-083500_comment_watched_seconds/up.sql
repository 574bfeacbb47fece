-- What players send, and what progress is made of.
COMMENT ON COLUMN video_player_events.watched_seconds IS 'Seconds watched so far, in the player''s own count.';
