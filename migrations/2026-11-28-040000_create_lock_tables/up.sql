-- Whoever must lock several tables could wait for one of them while it holds another, and so be half of a deadlock, whose
-- other half may be somebody who records. Here nobody waits while he holds anything, but for a moment.
CREATE FUNCTION lock_tables(VARIADIC tables regclass[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    patience text := current_setting('lock_timeout');
    next_table regclass;
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tables[1]);
    PERFORM set_config('lock_timeout', '50ms', true);
    FOREACH next_table IN ARRAY tables[2:] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', next_table);
    END LOOP;
    PERFORM set_config('lock_timeout', patience, true);
EXCEPTION WHEN lock_not_available THEN
    RAISE serialization_failure USING MESSAGE = format('One of the tables %s is in use', tables);
END
$$;

COMMENT ON FUNCTION lock_tables(regclass[]) IS 'For migrations: locks tables against everybody until the transaction ends. Waits for the first as long as lock_timeout allows, for the others hardly at all; if it does not get them all, it keeps none and fails with a serialization failure, which means: try again.';
