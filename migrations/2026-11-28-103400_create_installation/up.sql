CREATE TABLE installation (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    singleton boolean NOT NULL DEFAULT true UNIQUE CHECK (singleton)
);
INSERT INTO installation DEFAULT VALUES;

COMMENT ON TABLE installation IS 'This hub, in one row.';
COMMENT ON COLUMN installation.id IS 'Identifies this hub. Analytics services detect repeated events by it.';
COMMENT ON COLUMN installation.singleton IS 'Always true, so that there is only one row.';
