DROP TABLE telemetry_sync_logs;
