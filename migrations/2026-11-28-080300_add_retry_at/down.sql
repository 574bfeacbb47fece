ALTER TABLE scheduled_jobs DROP COLUMN retry_at;
