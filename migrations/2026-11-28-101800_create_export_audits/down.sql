DROP TABLE export_audits;
