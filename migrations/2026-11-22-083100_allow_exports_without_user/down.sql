-- Before, there was no place for such records.
DELETE FROM export_audits WHERE user_id IS NULL;
COMMENT ON COLUMN export_audits.user_id IS 'Who exported.';
ALTER TABLE export_audits ALTER COLUMN user_id SET NOT NULL;
