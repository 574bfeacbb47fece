-- The usual providers and types are frequent, and the order of another index finds their rows soon enough; a value that
-- hardly ever occurs was searched for in every month. Now each such filter has the stable order under it.
--
-- Partitions that are attached later get the index from their table.
CREATE INDEX video_player_events_provider_idx ON video_player_events (provider, recorded_at, id)
    WHERE provider IS NOT NULL;
CREATE INDEX discord_practices_type_idx ON discord_practices (type, start_at, id);
CREATE INDEX teacher_submissions_type_idx ON teacher_submissions (type, created_at, id);
