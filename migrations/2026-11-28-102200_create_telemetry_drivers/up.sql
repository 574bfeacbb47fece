-- Whether a driver is enabled is a property of the hub and not of a process: a process without the driver's settings leaves
-- its events pending.
CREATE TABLE telemetry_drivers (
    driver text PRIMARY KEY CHECK (driver IN ('ga4', 'mixpanel')),
    enabled_since timestamptz,
    sends_from timestamptz,
    paused_until timestamptz,
    outage jsonb CHECK (jsonb_typeof(outage) = 'object'),
    updated_at timestamptz NOT NULL,
    CONSTRAINT telemetry_drivers_enabled_check CHECK ((enabled_since IS NULL) = (sends_from IS NULL))
);

COMMENT ON TABLE telemetry_drivers IS 'The analytics drivers: whether they are enabled, and their state between two runs of the sync.';
COMMENT ON COLUMN telemetry_drivers.driver IS 'ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_drivers.enabled_since IS 'When a process first had settings for it; null if none had, or since telemetry:sync --forget.';
COMMENT ON COLUMN telemetry_drivers.sends_from IS 'Older events are not pending for it, because they were too old when it was enabled.';
COMMENT ON COLUMN telemetry_drivers.paused_until IS 'Nothing is sent before this time, because the service asked for a pause.';
COMMENT ON COLUMN telemetry_drivers.outage IS 'Why the last run stopped sending to it; null once it accepts events again; never contains a secret.';
COMMENT ON COLUMN telemetry_drivers.updated_at IS 'When the row was last changed.';
