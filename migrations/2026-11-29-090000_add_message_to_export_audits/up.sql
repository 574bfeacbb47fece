ALTER TABLE export_audits ADD COLUMN message text;

COMMENT ON COLUMN export_audits.message IS 'Why the export failed, if the user can do something about it.';
