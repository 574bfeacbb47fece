ALTER TABLE video_player_events ADD COLUMN chapter text;
