//! What events name stays: whoever deletes a user, a course or a lesson sees to that, and recording pays nothing for it.

use serde_json::json;
use tokio_postgres::error::SqlState;

use super::{Classroom, refusal};

const ISOLATED: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ";

impl Classroom {
    /// What the database says of a statement.
    async fn code_of(&self, statement: &str) -> Option<SqlState> {
        let client = self.hub.database.client().await;
        client
            .batch_execute(statement)
            .await
            .err()
            .map(|error| error.code().expect("PostgreSQL says so").clone())
    }

    /// An event of the student's in the lesson, which says nothing of progress.
    fn insert(&self) -> String {
        format!(
            "INSERT INTO video_player_events (event, recorded_at, user_id, course_id, lesson_id) \
             VALUES ('play', now(), {}, {}, {})",
            self.student.id, self.lesson.course, self.lesson.id
        )
    }
}

#[tokio::test]
async fn whoever_is_named_by_an_event_is_neither_deleted_nor_given_another_id() {
    let class = Classroom::open().await;
    let spare = class.hub.academy.lesson(class.hub.academy.course().await).await;
    class.hub.sql(&class.insert()).await;
    for (table, id) in [("users", class.student.id), ("lessons", class.lesson.id)] {
        for statement in [
            format!("DELETE FROM {table} WHERE id = {id}"),
            format!("UPDATE {table} SET id = 77 WHERE id = {id}"),
        ] {
            assert_eq!(class.code_of(&statement).await, Some(SqlState::FOREIGN_KEY_VIOLATION), "{statement}");
        }
    }
    for table in ["users", "courses", "lessons"] {
        let refused = class.code_of(&format!("TRUNCATE {table} CASCADE")).await;
        assert_eq!(refused, Some(SqlState::FOREIGN_KEY_VIOLATION), "{table}");
    }
    // Nobody else names this course any more.
    class.hub.sql(&format!("UPDATE lessons SET course_id = {}", spare.course)).await;
    let delete = format!("DELETE FROM courses WHERE id = {}", class.lesson.course);
    assert_eq!(class.code_of(&delete).await, Some(SqlState::FOREIGN_KEY_VIOLATION));

    class.hub.sql("DELETE FROM video_player_events").await;
    assert_eq!(class.code_of(&delete).await, None);
    assert_eq!(class.code_of(&format!("DELETE FROM lessons WHERE id = {}", class.lesson.id)).await, None);
    assert_eq!(class.code_of(&format!("DELETE FROM users WHERE id = {}", class.student.id)).await, None);
}

#[tokio::test]
async fn an_event_that_is_on_its_way_keeps_its_lesson() {
    let class = Classroom::open().await;
    let recorder = class.hub.database.client().await;
    recorder.batch_execute(&format!("BEGIN; {}", class.insert())).await.unwrap();
    let delete = format!("DELETE FROM lessons WHERE id = {}", class.lesson.id);
    let commit = async {
        class.wait_for_waiting(1).await;
        recorder.batch_execute("COMMIT").await.unwrap();
    };
    let (refused, ()) = tokio::join!(class.code_of(&delete), commit);
    assert_eq!(refused, Some(SqlState::FOREIGN_KEY_VIOLATION));
}

#[tokio::test]
async fn an_event_that_comes_while_its_lesson_goes_is_refused_by_name() {
    let class = Classroom::open().await;
    // One that was recorded before: its statement is planned already.
    class.record(json!([class.event(json!({"lessonId": null}))])).await;
    let deleter = class.hub.database.client().await;
    deleter
        .batch_execute(&format!("BEGIN; DELETE FROM lessons WHERE id = {}", class.lesson.id))
        .await
        .unwrap();
    let commit = async {
        class.wait_for_waiting(1).await;
        deleter.batch_execute("COMMIT").await.unwrap();
    };
    let (results, ()) = tokio::join!(class.record(json!([class.event(json!({}))])), commit);
    assert_eq!(refusal(&results[0]), ("BAD_USER_INPUT", "UNKNOWN_LESSON", "lessonId"));
}

#[tokio::test]
async fn whoever_deletes_must_see_what_was_recorded_meanwhile() {
    let class = Classroom::open().await;
    let delete = format!("DELETE FROM lessons WHERE id = {}", class.lesson.id);
    let client = class.hub.database.client().await;
    client.batch_execute(ISOLATED).await.unwrap();
    let refused = client.batch_execute(&delete).await.expect_err("it might not see them");
    assert_eq!(refused.code(), Some(&SqlState::FEATURE_NOT_SUPPORTED));
}
