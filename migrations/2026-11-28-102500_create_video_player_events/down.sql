-- The sequence is dropped with the table.
DROP TABLE video_player_events;
