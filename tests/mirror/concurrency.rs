//! Mirroring, imports and recording do not block each other, and unchanged rows are not written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Mirror, order, pack, submission, user, with};

const RECORDERS: usize = 64;

/// The maximum duration of a request on a busy machine, far below the statement timeout of 30 seconds.
const MAX_DURATION: Duration = Duration::from_secs(5);

/// An import that has written rows and not committed yet. They reference both users, the pack, the lesson and
/// the second course. A mirror call with locks that conflict with foreign keys would lock the first course
/// and then wait here.
const OPEN_IMPORT: &str = "BEGIN; \
    INSERT INTO student_activity_snapshots \
        (user_id, course_id, lesson_id, practice_package_id, captured_at, category) \
    VALUES (2, 2, 1, 1, now(), 'custom'); \
    INSERT INTO teacher_activity_snapshots \
        (teacher_id, course_id, lesson_id, practice_package_id, captured_at, category) \
    VALUES (1, 2, 1, 1, now(), 'custom')";

const TABLES: [&str; 8] = [
    "users",
    "courses",
    "lessons",
    "practice_packages",
    "practice_package_orders",
    "discord_practices",
    "teacher_submissions",
    "course_teacher",
];

fn course(id: i64, slug: &str, title: &str) -> Value {
    json!({"id": id.to_string(), "slug": slug, "titles": {"es": title}})
}

fn lesson(title: &str) -> Value {
    json!({"id": "1", "courseId": "1", "title": title})
}

fn practice(title: &str) -> Value {
    json!({"id": "1", "lessonId": "1", "title": title, "startAt": "2026-11-16T19:00:00Z", "meetingToken": "opens"})
}

fn assignment(day: u32) -> Value {
    json!({"courseId": "1", "teacherId": "1", "assignedAt": format!("2026-11-{day:02}T09:00:00Z")})
}

/// Every mutation with its input type and rows, ordered so that referenced rows exist.
fn all_mutations() -> [(&'static str, &'static str, Value); 8] {
    [
        ("mirrorUsers", "UserInput", json!([user(1, "TEACHER"), user(2, "STUDENT")])),
        ("mirrorCourses", "CourseInput", json!([course(1, "algebra", "Álgebra"), course(2, "otra", "Otra")])),
        ("mirrorLessons", "LessonInput", json!([lesson("Grupos")])),
        ("mirrorPracticePackages", "PracticePackageInput", json!([pack()])),
        ("mirrorPracticePackageOrders", "PracticePackageOrderInput", json!([order()])),
        ("mirrorDiscordPractices", "DiscordPracticeInput", json!([practice("Práctica")])),
        ("mirrorTeacherSubmissions", "TeacherSubmissionInput", json!([submission("pending")])),
        ("mirrorCourseTeachers", "CourseTeacherInput", json!([assignment(16)])),
    ]
}

/// Changes of all rows of [`all_mutations`], with the number of rows that each mutation changes.
fn changes() -> Vec<(&'static str, &'static str, Value, usize)> {
    let renamed = with(user(2, "STUDENT"), json!({"name": "Eva", "email": "eva@platform.example"}));
    vec![
        ("mirrorUsers", "UserInput", json!([renamed, user(1, "TEACHER")]), 1),
        (
            "mirrorCourses",
            "CourseInput",
            json!([course(1, "algebra", "Álgebra I"), course(2, "otra", "Otra")]),
            1,
        ),
        (
            "mirrorCourses",
            "CourseInput",
            json!([course(2, "algebra", "Otra"), course(1, "otra", "Álgebra I")]),
            2,
        ),
        ("mirrorCourses", "CourseInput", json!([course(1, "algebra-i", "Álgebra I")]), 1),
        ("mirrorLessons", "LessonInput", json!([with(lesson("Anillos"), json!({"courseId": "2"}))]), 1),
        (
            "mirrorPracticePackages",
            "PracticePackageInput",
            json!([with(pack(), json!({"priceAmount": "50"}))]),
            1,
        ),
        (
            "mirrorPracticePackageOrders",
            "PracticePackageOrderInput",
            json!([with(order(), json!({"sessionsRemaining": 3}))]),
            1,
        ),
        ("mirrorDiscordPractices", "DiscordPracticeInput", json!([practice("Otra práctica")]), 1),
        ("mirrorTeacherSubmissions", "TeacherSubmissionInput", json!([submission("rejected")]), 1),
        ("mirrorCourseTeachers", "CourseTeacherInput", json!([assignment(17)]), 1),
        (
            "mirrorCourseTeachers",
            "CourseTeacherInput",
            json!([with(assignment(17), json!({"removed": true}))]),
            1,
        ),
    ]
}

impl Mirror {
    /// A hub with the rows of [`all_mutations`].
    async fn with_all_rows() -> Self {
        let mirror = Self::start().await;
        for (mutation, input_type, rows) in all_mutations() {
            mirror.send_valid(mutation, input_type, rows).await;
        }
        mirror
    }

    /// The location of each row of the mirrored tables, and the transactions that wrote and locked it.
    async fn versions(&self) -> BTreeMap<&'static str, Value> {
        let mut versions = BTreeMap::new();
        for table in TABLES {
            let rows = format!("SELECT ctid::text, xmin::text, xmax::text FROM {table} ORDER BY 1");
            versions.insert(table, self.hub.rows(&rows).await);
        }
        versions
    }

    /// Records events of the student in the lesson, one after another, until `stop` is set. Returns the
    /// duration of the slowest request.
    async fn record_until(&self, stop: &AtomicBool, recorded_count: &AtomicUsize) -> Duration {
        let mut slowest = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            let event = json!({
                "clientEventId": Uuid::new_v4(), "event": "progress_tick", "provider": "vimeo", "userId": "2",
                "lessonId": "1", "playbackSeconds": 5
            });
            let request =
                self.hub.http.post(self.hub.url("/api/video/progress")).bearer_auth(&self.service.token);
            let began = Instant::now();
            let response = request.json(&json!({"events": [event]})).send().await.expect("the hub responds");
            let response: Value = response.json().await.expect("the response is JSON");
            assert!(response["results"][0]["eventId"].is_string(), "{response}");
            slowest = slowest.max(began.elapsed());
            recorded_count.fetch_add(1, Ordering::Relaxed);
        }
        slowest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mirroring_does_not_block_recording_or_wait_for_imports() {
    let mirror = Mirror::with_all_rows().await;
    let import = mirror.hub.database.client().await;
    import.batch_execute(OPEN_IMPORT).await.expect("the referenced rows exist");

    let (stop, recorded_count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let recorders = join_all((0..RECORDERS).map(|_| mirror.record_until(&stop, &recorded_count)));
    let mirrored = async {
        let mut slowest = ("", Duration::ZERO);
        for (mutation, input_type, rows, changed) in all_mutations()
            .into_iter()
            .map(|(mutation, input_type, rows)| (mutation, input_type, rows, 0))
            .chain(changes())
        {
            let began = Instant::now();
            assert_eq!(mirror.send_valid(mutation, input_type, rows).await, changed, "{mutation}");
            slowest = if began.elapsed() > slowest.1 { (mutation, began.elapsed()) } else { slowest };
            // Every mutation must overlap with recording.
            let count_before = recorded_count.load(Ordering::Relaxed);
            while recorded_count.load(Ordering::Relaxed) < count_before + RECORDERS {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        stop.store(true, Ordering::Relaxed);
        slowest
    };
    let (recorded, mirrored) = tokio::join!(recorders, mirrored);
    import.batch_execute("COMMIT").await.expect("the import's transaction is still open");

    let slowest = recorded.into_iter().max().expect("there is at least one recorder");
    assert!(slowest < MAX_DURATION, "the slowest event took {slowest:?}");
    assert!(mirrored.1 < MAX_DURATION, "{mirrored:?}");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(mirror.hub.rows(deadlocks).await, json!([{"deadlocks": 0}]));
    let events = mirror.hub.rows("SELECT count(*) FROM video_player_events").await;
    assert_eq!(events, json!([{"count": recorded_count.load(Ordering::Relaxed)}]));
}

#[tokio::test]
async fn unchanged_rows_are_neither_written_nor_locked() {
    let mirror = Mirror::with_all_rows().await;
    let before = mirror.versions().await;
    for (mutation, input_type, rows) in all_mutations() {
        assert_eq!(mirror.send_valid(mutation, input_type, rows).await, 0, "{mutation}");
    }
    assert_eq!(mirror.versions().await, before);
}

#[tokio::test]
async fn rows_are_locked_in_id_order_regardless_of_input_order() {
    let mirror = Mirror::with_all_rows().await;
    let locking_client = mirror.hub.database.client().await;
    locking_client.batch_execute("BEGIN; SELECT FROM courses WHERE id = 1 FOR UPDATE").await.unwrap();
    let courses = json!([course(2, "otra", "Otra más"), course(1, "algebra", "Álgebra I")]);
    let call = mirror.send_valid("mirrorCourses", "CourseInput", courses);
    let released = async {
        mirror.wait_for_blocked_statement().await;
        locking_client
            .batch_execute("SELECT FROM courses WHERE id = 2 FOR UPDATE NOWAIT")
            .await
            .expect("the row is not locked");
        locking_client.batch_execute("COMMIT").await.unwrap();
    };
    assert_eq!(tokio::join!(call, released).0, 2);
}

#[tokio::test]
async fn a_call_that_hits_locked_rows_says_when_to_retry() {
    let mirror = Mirror::with_all_rows().await;
    let locking_client = mirror.hub.database.client().await;
    locking_client.batch_execute("BEGIN; SELECT FROM courses WHERE id = 1 FOR UPDATE").await.unwrap();
    let changed = json!([course(1, "algebra", "Álgebra I")]);
    let response = mirror.send("mirrorCourses", "CourseInput", changed.clone()).await;
    let extensions = &response["errors"][0]["extensions"];
    assert_eq!(
        (&extensions["code"], &extensions["retryAfterSeconds"]),
        (&json!("RATE_LIMITED"), &json!(5)),
        "{response}"
    );
    locking_client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(mirror.send_valid("mirrorCourses", "CourseInput", changed).await, 1);
}

impl Mirror {
    /// Waits until a statement waits for a lock.
    async fn wait_for_blocked_statement(&self) {
        let waiting =
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let client = self.hub.database.client().await;
        for _ in 0..500 {
            if !client.query(waiting, &[]).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no statement waits for a lock");
    }
}
