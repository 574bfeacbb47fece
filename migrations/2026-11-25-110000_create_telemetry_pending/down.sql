DROP TRIGGER follow_pending ON video_player_events;
DROP FUNCTION follow_pending_player_events();
DROP TRIGGER forget_pending ON video_player_events;
DROP FUNCTION forget_pending_player_events();
DROP TRIGGER note_pending ON video_player_events;
DROP FUNCTION note_pending_player_events();
CREATE INDEX video_player_events_pending_idx ON video_player_events (recorded_at, id)
    WHERE synced_at IS NULL;
INSERT INTO telemetry_deliveries (event_id, recorded_at, driver)
SELECT event_id, recorded_at, driver FROM telemetry_pending, unnest(drivers) AS driver;
DROP TABLE telemetry_pending;
