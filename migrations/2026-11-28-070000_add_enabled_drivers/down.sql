ALTER TABLE telemetry_sync_logs DROP COLUMN drivers_left_out;
COMMENT ON TABLE telemetry_drivers IS 'What one run of the sync leaves for the next to know of an analytics driver.';
ALTER TABLE telemetry_drivers DROP CONSTRAINT telemetry_drivers_enabled_check, DROP COLUMN enabled_since, DROP COLUMN sends_from;
COMMENT ON COLUMN telemetry_pending.drivers IS 'The drivers that have no record of it; null while none has one, and it is owed to whichever are enabled.';
COMMENT ON COLUMN video_player_events.synced_at IS 'When every enabled analytics driver had a final verdict; null while one is owed.';
