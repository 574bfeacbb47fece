//! Mirroring beside imports and recording: nobody stops anybody, and what is stored already costs nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Mirror, order, pack, submission, user, with};

const RECORDERS: usize = 64;

/// Far from the 30 seconds after which a statement is given up, and far from what a busy machine takes.
const SOON: Duration = Duration::from_secs(5);

/// What an import has written, and not committed yet. It refers to both users, to the pack, the lesson and the second
/// course, so a call that locked rows against those who refer to them would hold the first course and wait here.
const HELD_IMPORT: &str = "BEGIN; \
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

/// Every mutation with its input type and a row, in an order in which each finds what it points to.
fn everything() -> [(&'static str, &'static str, Value); 8] {
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

/// Changes of all that [`everything`] says: each mutation, and the number of rows that it changes.
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
    async fn with_everything() -> Self {
        let mirror = Self::start().await;
        for (mutation, input_type, rows) in everything() {
            mirror.written(mutation, input_type, rows).await;
        }
        mirror
    }

    /// Where each row of the mirrored tables lies, who wrote it, and who locked it last.
    async fn versions(&self) -> BTreeMap<&'static str, Value> {
        let mut versions = BTreeMap::new();
        for table in TABLES {
            let rows = format!("SELECT ctid::text, xmin::text, xmax::text FROM {table} ORDER BY 1");
            versions.insert(table, self.hub.rows(&rows).await);
        }
        versions
    }

    /// Records one event after the other, each of them the student's in the lesson, until told to stop; answers with how
    /// long the slowest took.
    async fn record_until(&self, stop: &AtomicBool, answered: &AtomicUsize) -> Duration {
        let mut slowest = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            let event = json!({
                "clientEventId": Uuid::new_v4(), "event": "progress_tick", "provider": "vimeo", "userId": "2",
                "lessonId": "1", "playbackSeconds": 5
            });
            let request =
                self.hub.http.post(self.hub.url("/api/video/progress")).bearer_auth(&self.service.token);
            let began = Instant::now();
            let answer = request.json(&json!({"events": [event]})).send().await.expect("the hub answers");
            let answer: Value = answer.json().await.expect("the answer is JSON");
            assert!(answer["results"][0]["eventId"].is_string(), "{answer}");
            slowest = slowest.max(began.elapsed());
            answered.fetch_add(1, Ordering::Relaxed);
        }
        slowest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mirror_stops_recording_or_waits_for_an_import() {
    let mirror = Mirror::with_everything().await;
    let import = mirror.hub.database.client().await;
    import.batch_execute(HELD_IMPORT).await.expect("what it refers to is there");

    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let recorders = join_all((0..RECORDERS).map(|_| mirror.record_until(&stop, &answered)));
    let mirrored = async {
        let mut slowest = ("", Duration::ZERO);
        for (mutation, input_type, rows, changed) in everything()
            .into_iter()
            .map(|(mutation, input_type, rows)| (mutation, input_type, rows, 0))
            .chain(changes())
        {
            let began = Instant::now();
            assert_eq!(mirror.written(mutation, input_type, rows).await, changed, "{mutation}");
            slowest = if began.elapsed() > slowest.1 { (mutation, began.elapsed()) } else { slowest };
            // Each of them meets recorders.
            let so_far = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < so_far + RECORDERS {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        stop.store(true, Ordering::Relaxed);
        slowest
    };
    let (recorded, mirrored) = tokio::join!(recorders, mirrored);
    import.batch_execute("COMMIT").await.expect("nobody broke it off");

    let slowest = recorded.into_iter().max().expect("there are recorders");
    assert!(slowest < SOON, "an event took {slowest:?}");
    assert!(mirrored.1 < SOON, "{mirrored:?}");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(mirror.hub.rows(deadlocks).await, json!([{"deadlocks": 0}]));
    let events = mirror.hub.rows("SELECT count(*) FROM video_player_events").await;
    assert_eq!(events, json!([{"count": answered.load(Ordering::Relaxed)}]));
}

#[tokio::test]
async fn rows_that_are_stored_already_are_neither_written_nor_locked() {
    let mirror = Mirror::with_everything().await;
    let before = mirror.versions().await;
    for (mutation, input_type, rows) in everything() {
        assert_eq!(mirror.written(mutation, input_type, rows).await, 0, "{mutation}");
    }
    assert_eq!(mirror.versions().await, before);
}

#[tokio::test]
async fn rows_are_locked_in_the_order_of_their_ids_however_they_are_sent() {
    let mirror = Mirror::with_everything().await;
    let holder = mirror.hub.database.client().await;
    holder.batch_execute("BEGIN; SELECT FROM courses WHERE id = 1 FOR UPDATE").await.unwrap();
    let both = json!([course(2, "otra", "Otra más"), course(1, "algebra", "Álgebra I")]);
    let call = mirror.written("mirrorCourses", "CourseInput", both);
    let released = async {
        mirror.wait_for_waiting().await;
        holder.batch_execute("SELECT FROM courses WHERE id = 2 FOR UPDATE NOWAIT").await.expect("it is free");
        holder.batch_execute("COMMIT").await.unwrap();
    };
    assert_eq!(tokio::join!(call, released).0, 2);
}

#[tokio::test]
async fn a_call_that_meets_rows_that_somebody_holds_is_told_to_come_back() {
    let mirror = Mirror::with_everything().await;
    let holder = mirror.hub.database.client().await;
    holder.batch_execute("BEGIN; SELECT FROM courses WHERE id = 1 FOR UPDATE").await.unwrap();
    let changed = json!([course(1, "algebra", "Álgebra I")]);
    let answer = mirror.send("mirrorCourses", "CourseInput", changed.clone()).await;
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(
        (&extensions["code"], &extensions["retryAfterSeconds"]),
        (&json!("RATE_LIMITED"), &json!(5)),
        "{answer}"
    );
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(mirror.written("mirrorCourses", "CourseInput", changed).await, 1);
}

impl Mirror {
    /// Waits until a statement waits for a lock.
    async fn wait_for_waiting(&self) {
        let waiting =
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let client = self.hub.database.client().await;
        for _ in 0..500 {
            if !client.query(waiting, &[]).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody waits");
    }
}
