CREATE INDEX video_player_events_chapter_idx ON ONLY video_player_events (chapter, recorded_at, id);
