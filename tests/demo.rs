//! The demo academy is deterministic, consistent, and only loaded into an empty database.

use backend::auth::password::Passwords;
use backend::demo::sign_in::SignIn;
use backend::demo::{self, DemoError, Options};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::harness::database::TestDatabase;
use crate::harness::hub::{Hub, NOW};

const OPTIONS: Options =
    Options { students: 40, events: 4_000, seed: 7, now: NOW, zone: chrono_tz::Tz::America__Bogota };

const TABLES: [&str; 16] = [
    "users",
    "courses",
    "lessons",
    "course_teacher",
    "practice_packages",
    "practice_package_orders",
    "discord_practices",
    "discord_practice_reservations",
    "discord_practice_requests",
    "teacher_submissions",
    "teacher_submission_histories",
    "video_progress",
    "video_player_events",
    "student_activity_snapshots",
    "teacher_activity_snapshots",
    "platform_events",
];

async fn fill(database: &TestDatabase, options: Options) -> Result<Vec<SignIn>, DemoError> {
    let passwords = Passwords::new().unwrap();
    demo::fill(&mut database.pool.get().await.unwrap(), &passwords, options).await
}

/// The rows of a table, without creation times and password hashes.
async fn content(database: &TestDatabase, table: &str) -> Vec<String> {
    let statement = format!(
        "SELECT (to_jsonb(stored) - 'created_at' - 'password_hash')::text FROM {table} stored ORDER BY 1"
    );
    let rows = database.client().await.query(&statement, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The number of rows that a query finds.
async fn count(database: &TestDatabase, select: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM ({select}) AS wrong");
    database.client().await.query_one(&statement, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_same_seed_creates_the_same_academy() {
    let (one, two) = (TestDatabase::new().await, TestDatabase::new().await);
    fill(&one, OPTIONS).await.unwrap();
    fill(&two, OPTIONS).await.unwrap();
    for table in TABLES {
        let rows = content(&one, table).await;
        assert!(!rows.is_empty(), "{table}");
        assert_eq!(rows, content(&two, table).await, "{table}");
    }
    let other = TestDatabase::new().await;
    fill(&other, Options { seed: 8, ..OPTIONS }).await.unwrap();
    assert_ne!(content(&one, "users").await, content(&other, "users").await);
}

#[tokio::test]
async fn the_demo_data_is_consistent() {
    let database = TestDatabase::new().await;
    fill(&database, OPTIONS).await.unwrap();
    assert_eq!(content(&database, "video_player_events").await.len(), OPTIONS.events);
    let violations = [
        (
            "a practice has more reservations than seats",
            "SELECT FROM discord_practices practice WHERE capacity < (
                SELECT count(*) FROM discord_practice_reservations
                WHERE practice_id = practice.id AND status <> 'cancelled')",
        ),
        (
            "an order's remaining sessions do not match its attended reservations",
            "SELECT FROM practice_package_orders orders JOIN practice_packages packs ON packs.id = practice_package_id
             WHERE sessions_remaining <> sessions_count - (
                SELECT count(*) FROM discord_practice_reservations
                WHERE order_id = orders.id AND status = 'attended')",
        ),
        (
            "an order has more confirmed reservations than remaining sessions",
            "SELECT FROM practice_package_orders orders WHERE sessions_remaining < (
                SELECT count(*) FROM discord_practice_reservations
                WHERE order_id = orders.id AND status = 'confirmed')",
        ),
        (
            "a practice that is not completed was attended",
            "SELECT FROM discord_practices practice JOIN discord_practice_reservations seat ON practice_id = practice.id
             WHERE seat.status = 'attended' AND practice.status <> 'completed'",
        ),
        (
            "something was reserved, cancelled, attended or recorded in the future",
            "SELECT FROM discord_practice_reservations, (SELECT max(recorded_at) AS recorded FROM video_player_events) AS last
             WHERE greatest(reserved_at, cancelled_at, attended_at, recorded) > to_timestamp(1800000000)",
        ),
        (
            "an order is paid without a purchase, or a practice in the past is still scheduled",
            "SELECT FROM practice_package_orders WHERE (status IN ('paid', 'completed')) <> (purchase_recorded_at IS NOT NULL)
             UNION ALL SELECT FROM discord_practices WHERE status = 'scheduled' AND end_at < to_timestamp(1800000000) - interval '20 h'",
        ),
        (
            "an attended reservation has no snapshot, or another reservation has one",
            "SELECT FROM discord_practice_reservations seat WHERE (status = 'attended') <> EXISTS (
                SELECT FROM student_activity_snapshots
                WHERE category = 'practice_attendance' AND (payload ->> 'reservation_id')::bigint = seat.id)",
        ),
        (
            "progress differs from the position of the last event",
            "SELECT FROM video_progress progress WHERE last_second <> (
                SELECT playback_seconds FROM video_player_events event
                WHERE event.user_id = progress.user_id AND event.lesson_id = progress.lesson_id
                ORDER BY recorded_at DESC, id DESC LIMIT 1)",
        ),
        (
            "a submission's history does not end with its status",
            "SELECT FROM teacher_submissions submission WHERE status <> (
                SELECT status FROM teacher_submission_histories
                WHERE submission_id = submission.id ORDER BY changed_at DESC, id DESC LIMIT 1)",
        ),
    ];
    for (violation, select) in violations {
        assert_eq!(count(&database, select).await, 0, "{violation}");
    }
}

#[tokio::test]
async fn new_rows_get_ids_after_those_of_the_demo() {
    let database = TestDatabase::new().await;
    fill(&database, OPTIONS).await.unwrap();
    let client = database.client().await;
    let added = "INSERT INTO users (name, email, role) VALUES ('Eva', 'eva@example.com', 'student')
                 RETURNING id = (SELECT max(id) + 1 FROM users)";
    assert!(client.query_one(added, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn the_demo_rejects_a_database_with_data() {
    let hub = Hub::start().await;
    hub.user(domain::Role::Admin).await;
    let error = fill(&hub.database, OPTIONS).await.unwrap_err();
    assert!(matches!(error, DemoError::NotEmpty), "{error}");
    assert_eq!(content(&hub.database, "users").await.len(), 1);
}

#[tokio::test]
async fn demo_passwords_work_and_are_independent_of_the_seed() {
    let hub = Hub::start().await;
    let sign_ins = fill(&hub.database, OPTIONS).await.unwrap();
    let roles: Vec<_> = sign_ins.iter().map(|sign_in| sign_in.role.key()).collect();
    assert_eq!(roles, ["admin", "teacher_admin", "teacher", "student"]);
    let login = "mutation ($email: String!, $password: String!) {
        login(email: $email, password: $password) { viewer { email } }
    }";
    for SignIn { email, password, .. } in &sign_ins {
        let variables = json!({"email": email, "password": password.expose_secret()});
        let viewer = hub.graphql(login).variables(variables).data().await;
        assert_eq!(viewer["login"]["viewer"]["email"], *email);
    }
    let again = TestDatabase::new().await;
    let others = fill(&again, OPTIONS).await.unwrap();
    assert_ne!(sign_ins[0].password.expose_secret(), others[0].password.expose_secret());
}
