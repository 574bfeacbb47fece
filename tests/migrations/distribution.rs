//! The large tables can be distributed over several servers, as by the extension Citus: keys contain the
//! distribution column, and nothing is used that distributed tables cannot have.

use crate::harness::database::TestDatabase;

/// The large tables and their distribution columns, as their comments state them.
pub const DISTRIBUTED: [(&str, &str); 7] = [
    ("player_event_keys", "user_id"),
    ("student_activity_snapshots", "id"),
    ("teacher_activity_snapshots", "id"),
    ("telemetry_deliveries", "event_id"),
    ("telemetry_pending", "event_id"),
    ("video_player_events", "id"),
    ("video_progress", "user_id"),
];

/// The tables whose comments state a distribution column, with that column.
const DISTRIBUTION_COLUMNS: &str = r"
    SELECT relname::text, substring(obj_description(oid, 'pg_class') FROM 'Distribution column: (\w+)\.$')
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND obj_description(oid, 'pg_class') LIKE '%Distribution column%'";

/// What a table ($1) with this distribution column ($2) must not have.
const OBSTACLES: &str = r"
    SELECT concat('unique index without the distribution column: ', indexrelid::regclass)
    FROM pg_index
    WHERE indrelid = $1::text::regclass AND indisunique AND NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = indrelid AND attname = $2 AND attnum = ANY ((indkey::smallint[])[0:indnkeyatts - 1])
    )
    UNION ALL
    SELECT concat('identity or generated column: ', attname)
    FROM pg_attribute
    WHERE attrelid = $1::text::regclass AND attnum > 0 AND (attidentity <> '' OR attgenerated <> '')
    UNION ALL
    SELECT concat('foreign key: ', conname)
    FROM pg_constraint
    WHERE conrelid = $1::text::regclass AND contype = 'f' AND conname NOT IN (
        'video_progress_user_id_fkey', 'video_progress_lesson_id_fkey',
        'student_activity_snapshots_user_id_fkey', 'student_activity_snapshots_course_id_fkey',
        'student_activity_snapshots_lesson_id_fkey', 'student_activity_snapshots_practice_package_id_fkey',
        'student_activity_snapshots_import_id_fkey',
        'teacher_activity_snapshots_teacher_id_fkey', 'teacher_activity_snapshots_course_id_fkey',
        'teacher_activity_snapshots_lesson_id_fkey', 'teacher_activity_snapshots_practice_package_id_fkey',
        'teacher_activity_snapshots_import_id_fkey'
    )
    UNION ALL
    SELECT concat('trigger: ', tgname)
    FROM pg_trigger
    WHERE tgrelid = $1::text::regclass AND NOT tgisinternal
      AND NOT ($1 = 'video_player_events'
          AND tgname IN ('note_pending', 'forget_pending', 'await_sync', 'follow_pending'))";

#[tokio::test]
async fn comments_of_large_tables_state_their_distribution_columns() {
    let database = TestDatabase::new().await;
    let rows = database.client().await.query(DISTRIBUTION_COLUMNS, &[]).await.unwrap();
    let mut stated: Vec<(String, Option<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    stated.sort();
    let expected: Vec<_> =
        DISTRIBUTED.map(|(table, column)| (table.to_owned(), Some(column.to_owned()))).into();
    assert_eq!(stated, expected);
}

#[tokio::test]
async fn large_tables_have_nothing_that_prevents_distribution() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let obstacles = async |table: &str, column: &str| -> Vec<String> {
        let rows = client.query(OBSTACLES, &[&table, &column]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    for (table, column) in DISTRIBUTED {
        assert_eq!(obstacles(table, column).await, Vec::<String>::new(), "{table}");
    }
    client
        .batch_execute(
            "CREATE UNIQUE INDEX ON video_progress (lesson_id, source) INCLUDE (user_id); \
             ALTER TABLE video_progress ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY; \
             ALTER TABLE video_progress ADD COLUMN import_id bigint REFERENCES imports; \
             CREATE TRIGGER keep BEFORE DELETE ON video_progress EXECUTE FUNCTION refuse_deletion()",
        )
        .await
        .unwrap();
    assert_eq!(obstacles("video_progress", "user_id").await.len(), 4, "each kind is detected");
}

#[tokio::test]
async fn refuse_deletion_refuses_to_delete_and_to_truncate() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "INSERT INTO alarms (name, notified_at) VALUES ('telemetry_backlog', now()); \
             CREATE TRIGGER keep BEFORE DELETE ON alarms FOR EACH ROW EXECUTE FUNCTION refuse_deletion(); \
             CREATE TRIGGER keep_all BEFORE TRUNCATE ON alarms EXECUTE FUNCTION refuse_deletion()",
        )
        .await
        .unwrap();
    for statement in ["DELETE FROM alarms", "TRUNCATE alarms"] {
        let error = client.batch_execute(statement).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().message(), "Rows of alarms are never deleted", "{statement}");
    }
}
