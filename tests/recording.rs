//! Recording player events: permissions, validation, and no lost or duplicate events.

mod batches;
mod clock;
mod crash;
mod deletions;
mod load;
mod progress;
mod rest;
mod retries;
mod rights;

use backend::config::Config;
use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::academy::Lesson;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::GraphqlRequest;

/// A hub with a student and a lesson.
struct RecordingFixture {
    hub: Hub,
    student: TestUser,
    lesson: Lesson,
}

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!) { recordPlayerEvents(events: $events) \
    { clientEventId eventId duplicate error { code reason field message } } }";
const PROGRESS: &str = "mutation ($input: VideoProgressInput!) { recordVideoProgress(input: $input) \
    { lessonId lastSecond furthestSecond watchedSeconds updatedAt eventId } }";

impl RecordingFixture {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let hub = Hub::with(change).await;
        let student = hub.user(Role::Student).await;
        let lesson = hub.academy.lesson(hub.academy.course().await).await;
        Self { hub, student, lesson }
    }

    fn send(&self, events: Value) -> GraphqlRequest {
        self.send_as(&self.student.token, events)
    }

    fn send_as(&self, token: &str, events: Value) -> GraphqlRequest {
        self.hub.graphql(EVENTS).by(token).variables(json!({ "events": events }))
    }

    /// Records events as the student. Returns the results.
    async fn record(&self, events: Value) -> Vec<Value> {
        let mut data = self.send(events).data().await;
        serde_json::from_value(data["recordPlayerEvents"].take()).unwrap()
    }

    fn report(&self, input: Value) -> GraphqlRequest {
        self.report_as(&self.student.token, input)
    }

    fn report_as(&self, token: &str, input: Value) -> GraphqlRequest {
        self.hub.graphql(PROGRESS).by(token).variables(json!({ "input": input }))
    }

    /// Reports progress in the lesson as the student. `rest` adds or replaces input fields.
    async fn report_progress(&self, last_second: i32, rest: Value) -> Value {
        let input = json!({"lessonId": self.lesson.id, "source": "VIMEO", "lastSecond": last_second});
        self.report(with(input, rest)).data().await["recordVideoProgress"].take()
    }

    /// A `play` event in the lesson. `rest` adds or replaces fields.
    fn event(&self, rest: Value) -> Value {
        with(json!({"clientEventId": Uuid::new_v4(), "event": "play", "lessonId": self.lesson.id}), rest)
    }

    async fn count_events(&self, condition: &str) -> i64 {
        let statement = format!("SELECT count(*) FROM video_player_events WHERE {condition}");
        self.hub.database.client().await.query_one(&statement, &[]).await.unwrap().get(0)
    }
}

/// Adds members to an object, or replaces them.
fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is not an object") };
    object.as_object_mut().unwrap().extend(members);
    object
}

/// The code, the reason and the field of a result's error.
fn error_of(result: &Value) -> (&str, &str, &str) {
    assert!(result["eventId"].is_null(), "{result}");
    let error = &result["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{result}");
    let [code, reason] = ["code", "reason"].map(|key| error[key].as_str().unwrap());
    (code, reason, error["field"].as_str().unwrap_or_default())
}
