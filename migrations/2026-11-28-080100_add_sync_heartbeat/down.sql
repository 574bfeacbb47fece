ALTER TABLE telemetry_sync_logs
    DROP COLUMN heartbeat_at,
    DROP COLUMN backend_pid;
