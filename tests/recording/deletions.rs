//! Users, courses and lessons with events cannot be deleted. The check runs at deletion and adds no cost to
//! recording.

use serde_json::json;
use tokio_postgres::error::SqlState;

use super::{RecordingFixture, error_of};

const REPEATABLE_READ: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ";

impl RecordingFixture {
    /// Executes a statement and returns the error code of the database, if any.
    async fn error_code(&self, statement: &str) -> Option<SqlState> {
        let client = self.hub.database.client().await;
        client
            .batch_execute(statement)
            .await
            .err()
            .map(|error| error.code().expect("the error comes from PostgreSQL").clone())
    }

    /// A statement that inserts an event of the student in the lesson.
    fn insert_statement(&self) -> String {
        format!(
            "INSERT INTO video_player_events (event, recorded_at, user_id, course_id, lesson_id) \
             VALUES ('play', now(), {}, {}, {})",
            self.student.id, self.lesson.course, self.lesson.id
        )
    }
}

#[tokio::test]
async fn rows_that_events_reference_cannot_be_deleted_or_change_their_id() {
    let fixture = RecordingFixture::new().await;
    let other_lesson = fixture.hub.academy.lesson(fixture.hub.academy.course().await).await;
    fixture.hub.sql(&fixture.insert_statement()).await;
    for (table, id) in [("users", fixture.student.id), ("lessons", fixture.lesson.id)] {
        for statement in [
            format!("DELETE FROM {table} WHERE id = {id}"),
            format!("UPDATE {table} SET id = 77 WHERE id = {id}"),
        ] {
            assert_eq!(
                fixture.error_code(&statement).await,
                Some(SqlState::FOREIGN_KEY_VIOLATION),
                "{statement}"
            );
        }
    }
    for table in ["users", "courses", "lessons"] {
        let error = fixture.error_code(&format!("TRUNCATE {table} CASCADE")).await;
        assert_eq!(error, Some(SqlState::FOREIGN_KEY_VIOLATION), "{table}");
    }
    // Now only the event references this course.
    fixture.hub.sql(&format!("UPDATE lessons SET course_id = {}", other_lesson.course)).await;
    let delete = format!("DELETE FROM courses WHERE id = {}", fixture.lesson.course);
    assert_eq!(fixture.error_code(&delete).await, Some(SqlState::FOREIGN_KEY_VIOLATION));

    fixture.hub.sql("DELETE FROM video_player_events").await;
    assert_eq!(fixture.error_code(&delete).await, None);
    assert_eq!(
        fixture.error_code(&format!("DELETE FROM lessons WHERE id = {}", fixture.lesson.id)).await,
        None
    );
    assert_eq!(
        fixture.error_code(&format!("DELETE FROM users WHERE id = {}", fixture.student.id)).await,
        None
    );
}

#[tokio::test]
async fn an_uncommitted_event_blocks_the_deletion_of_its_lesson() {
    let fixture = RecordingFixture::new().await;
    let recorder = fixture.hub.database.client().await;
    recorder.batch_execute(&format!("BEGIN; {}", fixture.insert_statement())).await.unwrap();
    let delete = format!("DELETE FROM lessons WHERE id = {}", fixture.lesson.id);
    let commit = async {
        fixture.wait_for_blocked(1).await;
        recorder.batch_execute("COMMIT").await.unwrap();
    };
    let (error, ()) = tokio::join!(fixture.error_code(&delete), commit);
    assert_eq!(error, Some(SqlState::FOREIGN_KEY_VIOLATION));
}

#[tokio::test]
async fn an_event_for_a_lesson_that_is_being_deleted_is_refused() {
    let fixture = RecordingFixture::new().await;
    // An earlier event, so that the statement has a cached plan.
    fixture.record(json!([fixture.event(json!({"lessonId": null}))])).await;
    let deleter = fixture.hub.database.client().await;
    deleter
        .batch_execute(&format!("BEGIN; DELETE FROM lessons WHERE id = {}", fixture.lesson.id))
        .await
        .unwrap();
    let commit = async {
        fixture.wait_for_blocked(1).await;
        deleter.batch_execute("COMMIT").await.unwrap();
    };
    let (results, ()) = tokio::join!(fixture.record(json!([fixture.event(json!({}))])), commit);
    assert_eq!(error_of(&results[0]), ("BAD_USER_INPUT", "UNKNOWN_LESSON", "lessonId"));
}

#[tokio::test]
async fn deletions_require_read_committed_isolation() {
    let fixture = RecordingFixture::new().await;
    let delete = format!("DELETE FROM lessons WHERE id = {}", fixture.lesson.id);
    let client = fixture.hub.database.client().await;
    client.batch_execute(REPEATABLE_READ).await.unwrap();
    let error = client.batch_execute(&delete).await.expect_err("the snapshot may miss recent events");
    assert_eq!(error.code(), Some(&SqlState::FEATURE_NOT_SUPPORTED));
}
