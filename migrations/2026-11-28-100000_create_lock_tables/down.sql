DROP FUNCTION lock_tables(regclass[]);
