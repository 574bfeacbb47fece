-- A foreign key locks the rows that each event refers to. A change of those rows, or an import that refers to them too,
-- could stop all recording, and each event paid for three look-ups. The statement that records events looks users and
-- lessons up itself; that none of them goes while events name it is for those to see to who delete.
--
-- In the order in which the recording statement locks them.
SELECT lock_tables('users', 'lessons', 'video_player_events', 'courses');

ALTER TABLE video_player_events
    DROP CONSTRAINT video_player_events_user_id_fkey,
    DROP CONSTRAINT video_player_events_course_id_fkey,
    DROP CONSTRAINT video_player_events_lesson_id_fkey;

-- Whoever records holds a lock on the table from before it looks the lesson up until its event is there for all to see.
-- So once this one has the table, no event is on its way, and whoever records later finds the row gone. Recording waits
-- until the deletion is committed: two seconds at most for those who record to finish, and then for its transaction.
CREATE FUNCTION keep_what_player_events_name() RETURNS trigger
LANGUAGE plpgsql
SET lock_timeout = '2s'
AS $$
DECLARE
    is_named boolean;
BEGIN
    -- A snapshot that is older than the lock would not show the events that were waited for.
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE feature_not_supported
            USING MESSAGE = format('Rows of %I are deleted, and their ids changed, in transactions that read committed data', TG_TABLE_NAME);
    END IF;
    LOCK TABLE ONLY video_player_events IN SHARE MODE;
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM video_player_events WHERE %I IS NOT NULL)', TG_ARGV[0])
            INTO is_named;
        IF is_named THEN
            RAISE foreign_key_violation
                USING MESSAGE = format('Player events name rows of %I', TG_TABLE_NAME),
                    TABLE = 'video_player_events', COLUMN = TG_ARGV[0];
        END IF;
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM video_player_events WHERE %I = $1)', TG_ARGV[0])
        INTO is_named USING OLD.id;
    IF is_named THEN
        RAISE foreign_key_violation
            USING MESSAGE = format('Player events name row %s of %I', OLD.id, TG_TABLE_NAME),
                TABLE = 'video_player_events', COLUMN = TG_ARGV[0];
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION keep_what_player_events_name() IS 'Refuses to delete a row, to change its id, or to empty its table, while player events name it in the column that is the argument.';

CREATE TRIGGER keep_what_player_events_name BEFORE DELETE OR UPDATE OF id ON users
    FOR EACH ROW EXECUTE FUNCTION keep_what_player_events_name('user_id');
CREATE TRIGGER keep_what_player_events_name BEFORE DELETE OR UPDATE OF id ON courses
    FOR EACH ROW EXECUTE FUNCTION keep_what_player_events_name('course_id');
CREATE TRIGGER keep_what_player_events_name BEFORE DELETE OR UPDATE OF id ON lessons
    FOR EACH ROW EXECUTE FUNCTION keep_what_player_events_name('lesson_id');
CREATE TRIGGER keep_all_that_player_events_name BEFORE TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION keep_what_player_events_name('user_id');
CREATE TRIGGER keep_all_that_player_events_name BEFORE TRUNCATE ON courses
    FOR EACH STATEMENT EXECUTE FUNCTION keep_what_player_events_name('course_id');
CREATE TRIGGER keep_all_that_player_events_name BEFORE TRUNCATE ON lessons
    FOR EACH STATEMENT EXECUTE FUNCTION keep_what_player_events_name('lesson_id');
