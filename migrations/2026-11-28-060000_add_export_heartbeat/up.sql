-- The transaction of an export ends while its reader still reads, so no lock can show that it is under way.
ALTER TABLE export_audits ADD COLUMN heartbeat_at timestamptz;

COMMENT ON COLUMN export_audits.heartbeat_at IS 'When the process that streams it last reported that it does, every few seconds; null once it has ended. One without an end and without a recent heartbeat was aborted.';
COMMENT ON COLUMN export_audits.rows IS 'Rows that the reader was given.';
COMMENT ON COLUMN export_audits.bytes IS 'Bytes that the reader was given, before compression.';
