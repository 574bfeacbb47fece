-- A process that is frozen keeps its connection, and with it the lock: only what it does not do any more tells of it.
ALTER TABLE telemetry_sync_logs
    ADD COLUMN heartbeat_at timestamptz,
    ADD COLUMN backend_pid integer;

COMMENT ON COLUMN telemetry_sync_logs.heartbeat_at IS 'When its process last showed that it works on it, by the database''s clock; after two minutes of silence another run takes over.';
COMMENT ON COLUMN telemetry_sync_logs.backend_pid IS 'The database session that holds its lock; null from when another run takes over.';
