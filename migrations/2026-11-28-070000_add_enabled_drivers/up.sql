-- Which drivers are enabled is a fact of the hub, not of a process: a process without a driver's settings leaves what is
-- pending for it alone.
ALTER TABLE telemetry_drivers
    ADD COLUMN enabled_since timestamptz,
    ADD COLUMN sends_from timestamptz,
    ADD CONSTRAINT telemetry_drivers_enabled_check CHECK ((enabled_since IS NULL) = (sends_from IS NULL));

COMMENT ON TABLE telemetry_drivers IS 'The analytics drivers: which are enabled, and what one run of the sync leaves for the next to know of them.';
COMMENT ON COLUMN telemetry_drivers.enabled_since IS 'When a process first had it enabled and configured; null when it never was, or since telemetry:sync --forget.';
COMMENT ON COLUMN telemetry_drivers.sends_from IS 'Events that happened before this are not pending for it: they were too old when it was enabled.';

ALTER TABLE telemetry_sync_logs ADD COLUMN drivers_left_out jsonb NOT NULL DEFAULT '[]'
    CHECK (jsonb_typeof(drivers_left_out) = 'array');
COMMENT ON COLUMN telemetry_sync_logs.drivers_left_out IS 'Enabled drivers whose settings its process did not have, so that it left their events pending.';

COMMENT ON COLUMN telemetry_pending.drivers IS 'The drivers that have no record of it; null while none has one, and it is pending for each enabled one whose sends_from it is not before.';
COMMENT ON COLUMN video_player_events.synced_at IS 'When every enabled analytics driver had a final verdict; null while one is owed, and for events that were too old when the first driver was enabled.';

-- What the last run sent to is enabled, with everything that is pending.
INSERT INTO telemetry_drivers (driver, enabled_since, sends_from, updated_at)
SELECT share ->> 'driver', now(), '1900-01-01T00:00:00Z', now()
FROM (SELECT drivers FROM telemetry_sync_logs WHERE drivers <> '[]' ORDER BY started_at DESC, id DESC LIMIT 1) AS newest,
    jsonb_array_elements(drivers) AS share
ON CONFLICT (driver) DO UPDATE SET enabled_since = excluded.enabled_since, sends_from = excluded.sends_from;
