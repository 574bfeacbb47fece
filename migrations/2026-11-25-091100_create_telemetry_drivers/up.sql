CREATE TABLE telemetry_drivers (
    driver text PRIMARY KEY CHECK (driver IN ('ga4', 'mixpanel')),
    paused_until timestamptz,
    trouble jsonb CHECK (jsonb_typeof(trouble) = 'object'),
    updated_at timestamptz NOT NULL
);

COMMENT ON TABLE telemetry_drivers IS 'What one run of the sync leaves for the next to know of an analytics driver.';
COMMENT ON COLUMN telemetry_drivers.driver IS 'ga4 or mixpanel.';
COMMENT ON COLUMN telemetry_drivers.paused_until IS 'Nothing is sent there before this: it asked for a pause.';
COMMENT ON COLUMN telemetry_drivers.trouble IS 'Why the driver was given up in the last run that tried it, until it takes something again; never a secret.';
COMMENT ON COLUMN telemetry_drivers.updated_at IS 'When this was found out.';
