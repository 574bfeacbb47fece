LOCK TABLE video_player_events IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER follow_pending ON video_player_events;
DROP FUNCTION follow_pending_player_events();
DROP TRIGGER await_sync ON video_player_events;
DROP FUNCTION await_sync_of_player_events();
DROP TRIGGER forget_pending ON video_player_events;
DROP FUNCTION forget_pending_player_events();
DROP TRIGGER note_pending ON video_player_events;
DROP FUNCTION note_pending_player_events();
CREATE INDEX video_player_events_pending_idx ON video_player_events (recorded_at, id)
    WHERE synced_at IS NULL;
-- What was begun has a record for each driver; of what a run was sending when it died, the other one may have none.
INSERT INTO telemetry_deliveries (event_id, recorded_at, driver)
SELECT event_id, recorded_at, driver
FROM telemetry_pending AS pending, unnest(coalesce(drivers, '{ga4,mixpanel}')) AS driver
WHERE drivers IS NOT NULL OR EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = pending.event_id)
ON CONFLICT DO NOTHING;
DROP TABLE telemetry_pending;
