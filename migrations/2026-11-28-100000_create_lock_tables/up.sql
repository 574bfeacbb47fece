-- Locking several tables one after another can deadlock with a session that records events. This function therefore
-- waits only for the first table, while it holds nothing, and hardly at all for the others.
CREATE FUNCTION lock_tables(VARIADIC tables regclass[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    original_timeout text := current_setting('lock_timeout');
    next_table regclass;
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tables[1]);
    PERFORM set_config('lock_timeout', '50ms', true);
    FOREACH next_table IN ARRAY tables[2:] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', next_table);
    END LOOP;
    PERFORM set_config('lock_timeout', original_timeout, true);
EXCEPTION WHEN lock_not_available THEN
    RAISE serialization_failure USING MESSAGE = format('One of the tables %s is in use', tables);
END
$$;

COMMENT ON FUNCTION lock_tables(regclass[]) IS 'For migrations: locks tables in ACCESS EXCLUSIVE mode until the transaction ends. It waits up to lock_timeout for the first table, and 50 ms for each of the others. If it does not get all locks, it keeps none and raises a serialization failure, so that the migration is retried.';
