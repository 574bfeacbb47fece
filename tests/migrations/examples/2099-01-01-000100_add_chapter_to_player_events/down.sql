ALTER TABLE video_player_events DROP COLUMN chapter;
