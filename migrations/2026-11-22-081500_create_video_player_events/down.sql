-- Partitions and the sequence go with the table.
DROP FUNCTION ensure_player_event_partitions(date, date);
DROP TABLE video_player_events;
