-- Sessions that record events lock the table before they look up the lesson, and until their events are visible. Once a
-- session here has its lock, no events are being recorded, and later ones do not find the deleted row. Recording waits
-- until the deletion is committed: up to two seconds for the sessions that record, and then for this transaction.
CREATE FUNCTION restrict_player_event_references() RETURNS trigger
LANGUAGE plpgsql
SET lock_timeout = '2s'
AS $$
DECLARE
    is_referenced boolean;
BEGIN
    -- A snapshot from before the lock would not contain the events that were waited for.
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE feature_not_supported USING
            MESSAGE = format('Deleting rows of %I and changing their ids requires the isolation level READ COMMITTED', TG_TABLE_NAME);
    END IF;
    LOCK TABLE ONLY video_player_events IN SHARE MODE;
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM video_player_events WHERE %I IS NOT NULL)', TG_ARGV[0])
            INTO is_referenced;
        IF is_referenced THEN
            RAISE foreign_key_violation USING
                MESSAGE = format('Player events refer to rows of %I', TG_TABLE_NAME),
                TABLE = 'video_player_events', COLUMN = TG_ARGV[0];
        END IF;
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM video_player_events WHERE %I = $1)', TG_ARGV[0])
        INTO is_referenced USING OLD.id;
    IF is_referenced THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('Player events refer to row %s of %I', OLD.id, TG_TABLE_NAME),
            TABLE = 'video_player_events', COLUMN = TG_ARGV[0];
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION restrict_player_event_references() IS 'Refuses to delete a row, to change its id or to truncate its table if player events refer to it. The argument is the referring column.';

CREATE TRIGGER restrict_player_event_references BEFORE DELETE OR UPDATE OF id ON users
    FOR EACH ROW EXECUTE FUNCTION restrict_player_event_references('user_id');
CREATE TRIGGER restrict_player_event_references BEFORE DELETE OR UPDATE OF id ON courses
    FOR EACH ROW EXECUTE FUNCTION restrict_player_event_references('course_id');
CREATE TRIGGER restrict_player_event_references BEFORE DELETE OR UPDATE OF id ON lessons
    FOR EACH ROW EXECUTE FUNCTION restrict_player_event_references('lesson_id');
CREATE TRIGGER restrict_truncation BEFORE TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION restrict_player_event_references('user_id');
CREATE TRIGGER restrict_truncation BEFORE TRUNCATE ON courses
    FOR EACH STATEMENT EXECUTE FUNCTION restrict_player_event_references('course_id');
CREATE TRIGGER restrict_truncation BEFORE TRUNCATE ON lessons
    FOR EACH STATEMENT EXECUTE FUNCTION restrict_player_event_references('lesson_id');
