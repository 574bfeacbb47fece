ALTER TABLE export_audits DROP COLUMN heartbeat_at;
COMMENT ON COLUMN export_audits.rows IS 'Rows written.';
COMMENT ON COLUMN export_audits.bytes IS 'Bytes written, before compression.';
