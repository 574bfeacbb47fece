ALTER TABLE users ADD COLUMN erased_by bigint;

COMMENT ON COLUMN users.erased_by IS 'The admin who erased the person''s data; null if it was not erased.';
