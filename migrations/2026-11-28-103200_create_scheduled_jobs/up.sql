CREATE TABLE scheduled_jobs (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 50),
    due_at timestamptz NOT NULL,
    last_started_at timestamptz NOT NULL,
    retry_at timestamptz
);

COMMENT ON TABLE scheduled_jobs IS 'Scheduled jobs. The server that advances due_at runs the job, so that of several servers only one does. A job without a row is due.';
COMMENT ON COLUMN scheduled_jobs.name IS 'Name of the job, such as telemetry_monitor_backlog.';
COMMENT ON COLUMN scheduled_jobs.due_at IS 'When it is due.';
COMMENT ON COLUMN scheduled_jobs.last_started_at IS 'When it was last started.';
COMMENT ON COLUMN scheduled_jobs.retry_at IS 'When to retry it before due_at, because it could not run; null if it could.';
