-- A job has a row from the first time that somebody does it; without one it is due.
CREATE TABLE scheduled_jobs (
    name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 50),
    due_at timestamptz NOT NULL,
    last_started_at timestamptz NOT NULL
);

COMMENT ON TABLE scheduled_jobs IS 'When what is done on a schedule is due again: whoever moves the time on does it, so that of many servers one does.';
COMMENT ON COLUMN scheduled_jobs.name IS 'What is done, such as telemetry_monitor_backlog.';
COMMENT ON COLUMN scheduled_jobs.due_at IS 'When it is due again.';
COMMENT ON COLUMN scheduled_jobs.last_started_at IS 'When somebody last began to do it.';
