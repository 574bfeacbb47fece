ALTER TABLE imports DROP COLUMN bytes_read;
