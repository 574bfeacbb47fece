-- No trigger uses it on plain PostgreSQL, where foreign keys and triggers with lookups protect referenced rows. If the
-- large tables are distributed over several servers, they cannot have those.
CREATE FUNCTION refuse_deletion() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE foreign_key_violation USING
        MESSAGE = format('Rows of %I are never deleted', TG_TABLE_NAME),
        TABLE = TG_TABLE_NAME;
END
$$;

COMMENT ON FUNCTION refuse_deletion() IS 'For triggers BEFORE DELETE or BEFORE TRUNCATE: refuses the statement.';
