-- Not an identity column: a table with one cannot be distributed over several servers and later get more shards.
CREATE SEQUENCE student_activity_snapshots_id_seq;

CREATE TABLE student_activity_snapshots (
    id bigint NOT NULL DEFAULT nextval('student_activity_snapshots_id_seq') PRIMARY KEY,
    captured_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id bigint NOT NULL REFERENCES users ON DELETE RESTRICT,
    course_id bigint REFERENCES courses ON DELETE RESTRICT,
    lesson_id bigint REFERENCES lessons ON DELETE RESTRICT,
    practice_package_id bigint REFERENCES practice_packages ON DELETE RESTRICT,
    import_id bigint REFERENCES imports ON DELETE RESTRICT,
    value integer CHECK (value >= 0),
    category text NOT NULL CHECK (char_length(category) BETWEEN 1 AND 50),
    scope text CHECK (scope <> ''),
    payload jsonb
);

ALTER SEQUENCE student_activity_snapshots_id_seq OWNED BY student_activity_snapshots.id;

-- The order of the dataset (read backwards), without a filter and with each of its filters. Columns that are mostly null
-- are indexed where they are not null.
CREATE INDEX student_activity_snapshots_captured_at_idx ON student_activity_snapshots (captured_at, id);
CREATE INDEX student_activity_snapshots_course_id_idx ON student_activity_snapshots (course_id, captured_at, id);
CREATE INDEX student_activity_snapshots_lesson_id_idx ON student_activity_snapshots (lesson_id, captured_at, id)
    WHERE lesson_id IS NOT NULL;
CREATE INDEX student_activity_snapshots_practice_package_id_idx
    ON student_activity_snapshots (practice_package_id, captured_at, id)
    WHERE practice_package_id IS NOT NULL;
CREATE INDEX student_activity_snapshots_category_idx ON student_activity_snapshots (category, captured_at, id);
-- Finds the duplicate of an imported row, however many rows a person has, by a hash of all other columns. It also finds a
-- person's rows when their data is erased.
CREATE INDEX student_activity_snapshots_user_id_idx ON student_activity_snapshots (
    user_id,
    hash_record_extended(
        ROW(captured_at, course_id, lesson_id, practice_package_id, value, category, scope, payload), 0
    )
);
-- The rows of an import that is undone.
CREATE INDEX student_activity_snapshots_import_id_idx ON student_activity_snapshots (import_id)
    WHERE import_id IS NOT NULL;

COMMENT ON SEQUENCE student_activity_snapshots_id_seq IS 'Ids of students'' snapshots.';
COMMENT ON TABLE student_activity_snapshots IS 'Activity of students, captured from the platform or imported. Distribution column: id.';
COMMENT ON COLUMN student_activity_snapshots.id IS 'Breaks ties in the order of the dataset.';
COMMENT ON COLUMN student_activity_snapshots.captured_at IS 'The time that it describes; the date of the dataset.';
COMMENT ON COLUMN student_activity_snapshots.created_at IS 'When the row was created.';
COMMENT ON COLUMN student_activity_snapshots.user_id IS 'The student. Users are anonymized and not deleted, so counts stay the same.';
COMMENT ON COLUMN student_activity_snapshots.course_id IS 'Course that it is about; null for none.';
COMMENT ON COLUMN student_activity_snapshots.lesson_id IS 'Lesson that it is about; null for none.';
COMMENT ON COLUMN student_activity_snapshots.practice_package_id IS 'Pack that it is about; null for none.';
COMMENT ON COLUMN student_activity_snapshots.import_id IS 'Import that inserted it; null if it was captured from the platform.';
COMMENT ON COLUMN student_activity_snapshots.value IS 'The captured number, whose meaning depends on the category.';
COMMENT ON COLUMN student_activity_snapshots.category IS 'What was captured, such as practice_reservation or practice_attendance. Imports may use other categories.';
COMMENT ON COLUMN student_activity_snapshots.scope IS 'Part of the platform that it is about, such as discord_practice.';
COMMENT ON COLUMN student_activity_snapshots.payload IS 'Details, whose keys depend on the category.';
