-- Whoever runs the server's commands needs no account, and their exports are on record all the same.
ALTER TABLE export_audits ALTER COLUMN user_id DROP NOT NULL;

COMMENT ON COLUMN export_audits.user_id IS 'Who exported; null for the command line.';
