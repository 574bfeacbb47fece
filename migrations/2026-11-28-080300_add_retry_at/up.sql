ALTER TABLE scheduled_jobs ADD COLUMN retry_at timestamptz;

COMMENT ON COLUMN scheduled_jobs.retry_at IS 'When to do it before it is due again, since it could not be done when it was; the step of the schedule stays.';
