CREATE TABLE installation (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    is_the_one boolean NOT NULL DEFAULT true UNIQUE CHECK (is_the_one)
);
INSERT INTO installation DEFAULT VALUES;

COMMENT ON TABLE installation IS 'This hub, in one row.';
COMMENT ON COLUMN installation.id IS 'Tells this hub from every other; analytics services know a repetition by it.';
COMMENT ON COLUMN installation.is_the_one IS 'True, so that there is one row only.';
