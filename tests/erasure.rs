//! Erasing the data of a person.

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::harness::hub::{Hub, TestUser};

/// Rows about the user 7 in every table, each with a text that identifies the person.
const ROWS: &str = r#"
    INSERT INTO users (id, name, email, role, password_hash) VALUES
        (7, 'Zoe Trace', 'zoe.trace@example.com', 'teacher', 'trace'),
        (8, 'Leo', 'leo@example.com', 'student', NULL);
    INSERT INTO courses (id, slug, titles) VALUES (1, 'uno', '{"es": "Uno"}');
    INSERT INTO lessons (id, course_id, title) VALUES (11, 1, 'Once');
    INSERT INTO course_teacher (course_id, teacher_id, assigned_at) VALUES (1, 7, now());
    INSERT INTO practice_packages (id, creator_id, lesson_id, title, sessions_count, price_amount, price_currency, status)
        VALUES (21, 7, 11, 'Pack', 4, 10, 'EUR', 'active');
    INSERT INTO practice_package_orders (practice_package_id, user_id, status, sessions_remaining, payment_reference, meta)
        VALUES (21, 7, 'paid', 1, 'trace', '{"a": "trace"}');
    INSERT INTO discord_practices (lesson_id, title, start_at, creator_id) VALUES (11, 'Live', now(), 7);
    INSERT INTO teacher_submissions (id, teacher_id, type, title, status, feedback)
        VALUES (31, 7, 'lesson', 'Lesson', 'approved', 'Hi trace');
    INSERT INTO teacher_submission_histories (submission_id, status, changed_by, notes) VALUES (31, 'approved', 7, 'trace');
    INSERT INTO student_activity_snapshots (captured_at, user_id, category, payload)
        VALUES (now(), 7, 'trace', '{"a": "trace"}'), (now(), 8, 'custom', NULL);
    INSERT INTO teacher_activity_snapshots (captured_at, teacher_id, category) VALUES (now(), 7, 'trace');
    INSERT INTO imports (id, dataset, state, mode, dry_run, filename, imported_by, file_columns) VALUES
        (41, 'student_activity_snapshots', 'done', 'skip_invalid', false, 'trace.csv', 7, ARRAY['value', 'ID de estudiante', 'user_name']);
    INSERT INTO import_rows_rejected (import_id, line, reason, cells) VALUES
        (41, 2, 'not_a_value', ARRAY['trace', '07.0', '']), (41, 3, 'not_a_value', ARRAY['7', '8', 'Leo']),
        (41, 4, 'not_a_value', ARRAY['1', '9', 'Zoe Trace ']), (41, 5, 'not_a_value', ARRAY['Zoe.Trace@example.com']);
    INSERT INTO export_audits (user_id, dataset, format, filters, address)
        VALUES (7, 'discord_practices', 'csv', '{"creator_id": "7", "course_id": "7"}', '192.0.2.7');
    INSERT INTO notifications (user_id, kind, data) VALUES (7, 'sync_backlog', '{"a": "trace"}');
    INSERT INTO saved_exports (user_id, name, dataset, format, options, created_at)
        VALUES (7, 'trace', 'discord_practices', 'csv', '{}', now()),
            (8, 'Theirs', 'practice_package_orders', 'csv', '{"filters": {"user_id": 7}}', now());
    INSERT INTO video_progress (user_id, lesson_id, last_second, furthest_second, source) VALUES (7, 11, 5, 5, 'youtube');
    SELECT ensure_player_event_partitions('2027-01-01', '2027-01-31');
    INSERT INTO video_player_events (recorded_at, user_id, course_id, lesson_id, event, metadata) VALUES
        ('2027-01-10', 7, 1, 11, 'play', '{"a": "trace"}'), ('2027-01-11', 7, 1, 11, 'play', NULL),
        ('2027-01-12', 8, 1, 11, 'play', NULL);
"#;

async fn erase(hub: &Hub, by: &TestUser, user: i64) -> Value {
    let mutation = format!("mutation {{ eraseUserData(userId: {user}) }}");
    hub.graphql(&mutation).by(&by.token).data().await["eraseUserData"].take()
}

/// The tables that contain a text.
async fn tables_with(hub: &Hub, text: &str) -> Vec<String> {
    let client = hub.database.client().await;
    let tables = "SELECT relname::text FROM pg_class \
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname";
    let mut found = Vec::new();
    for row in client.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let query = format!("SELECT EXISTS (SELECT FROM {table} AS row WHERE row::text ILIKE '%{text}%')");
        if client.query_one(&query, &[]).await.unwrap().get(0) {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn nothing_in_the_database_identifies_an_erased_person() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql(ROWS).await;
    assert!(tables_with(&hub, "trace").await.len() > 10);
    assert_eq!(erase(&hub, &admin, 7).await, 22);
    assert_eq!(tables_with(&hub, "trace").await, Vec::<String>::new());
    assert_eq!(tables_with(&hub, "192.0.2.7").await, Vec::<String>::new());

    let kept = "SELECT name, email, active, erased_by = (SELECT max(id) FROM users WHERE role = 'admin') AS is_recorded
        FROM users WHERE id = 7";
    let expected = json!([{"name": "erased-7", "email": "erased-7@erased.invalid", "active": false, "is_recorded": true}]);
    assert_eq!(hub.rows(kept).await, expected);
    let others = "SELECT (SELECT count(*) FROM student_activity_snapshots) AS snapshots,
        (SELECT count(*) FROM video_player_events) AS events, (SELECT count(*) FROM telemetry_pending) AS pending,
        (SELECT count(*) FROM video_player_events WHERE user_id IS NULL AND synced_at IS NOT NULL) AS anonymous,
        (SELECT count(*) FROM practice_package_orders) AS orders, (SELECT filters FROM export_audits) AS filters,
        (SELECT array_agg(line) FROM import_rows_rejected) AS rejected, (SELECT options FROM saved_exports) AS saved";
    assert_eq!(
        hub.rows(others).await,
        json!([{"snapshots": 1, "events": 3, "pending": 1, "anonymous": 2, "orders": 1, "filters": {"creator_id": "erased", "course_id": "7"},
                "rejected": [3], "saved": {"filters": {}}}])
    );
    assert_eq!(erase(&hub, &admin, 7).await, 0, "it is repeated");
}

#[tokio::test]
async fn an_erased_person_counts_as_unknown() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    hub.sql(ROWS).await;
    erase(&hub, &admin, 7).await;
    let record = "mutation { recordVideoProgress(input: {lessonId: 11, userId: 7, source: YOUTUBE, lastSecond: 1}) { __typename } }";
    let refused = hub.graphql(record).by(&admin.token).send().await;
    assert!(!refused.body["errors"].is_null(), "{}", refused.body);
    // Rows of an import that had begun before.
    hub.sql(
        "INSERT INTO student_activity_snapshots (captured_at, user_id, category) VALUES (now(), 7, 'late')",
    )
    .await;
    let stop = CancellationToken::new();
    let jobs = tokio::spawn(backend::jobs::run(hub.app.clone(), stop.clone()));
    let erased = async {
        while !tables_with(&hub, "late").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), erased).await.expect("the first housekeeping erases the row");
    stop.cancel();
    jobs.await.unwrap();
}

#[tokio::test]
async fn only_admins_erase_and_the_last_one_stays() {
    let hub = Hub::start().await;
    let (admin, teacher) = (hub.user(Role::Admin).await, hub.user(Role::TeacherAdmin).await);
    let code = async |by: &TestUser, user: i64| {
        hub.graphql(&format!("mutation {{ eraseUserData(userId: {user}) }}")).by(&by.token).code().await
    };
    assert_eq!(code(&teacher, teacher.id).await, "FORBIDDEN");
    assert_eq!(code(&admin, 999_999).await, "NOT_FOUND");
    assert_eq!(code(&admin, admin.id).await, "CONFLICT");
    assert!(erase(&hub, &admin, teacher.id).await.as_i64().unwrap() > 0);
    assert_eq!(hub.graphql("{ viewer { id } }").by(&teacher.token).code().await, "UNAUTHENTICATED");
}
