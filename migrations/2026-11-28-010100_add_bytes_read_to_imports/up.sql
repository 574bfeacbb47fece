-- Null for imports of versions that did not write it down.
ALTER TABLE imports ADD COLUMN bytes_read bigint CHECK (bytes_read >= 0);

COMMENT ON COLUMN imports.bytes_read IS 'Bytes of the file that were read; null when it was not read to its end, or by a version that did not write it down.';
