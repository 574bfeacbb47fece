//! Player events on their way in: who may record what, what is refused by name, and that nothing is lost or doubled.

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
use crate::harness::ask::Ask;
use crate::harness::hub::{Hub, TestUser};

/// A hub with a student and a lesson.
struct Classroom {
    hub: Hub,
    student: TestUser,
    lesson: Lesson,
}

const EVENTS: &str = "mutation ($events: [PlayerEventInput!]!) { recordPlayerEvents(events: $events) \
    { clientEventId eventId duplicate error { code reason field message } } }";
const PROGRESS: &str = "mutation ($input: VideoProgressInput!) { recordVideoProgress(input: $input) \
    { lessonId lastSecond furthestSecond watchedSeconds updatedAt eventId } }";

impl Classroom {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let hub = Hub::with(change).await;
        let student = hub.user(Role::Student).await;
        let lesson = hub.academy.lesson(hub.academy.course().await).await;
        Self { hub, student, lesson }
    }

    fn send(&self, events: Value) -> Ask {
        self.send_by(&self.student.token, events)
    }

    fn send_by(&self, token: &str, events: Value) -> Ask {
        self.hub.graphql(EVENTS).by(token).variables(json!({ "events": events }))
    }

    /// Records events as the student, and answers with the results.
    async fn record(&self, events: Value) -> Vec<Value> {
        let mut data = self.send(events).data().await;
        serde_json::from_value(data["recordPlayerEvents"].take()).unwrap()
    }

    fn report(&self, input: Value) -> Ask {
        self.report_by(&self.student.token, input)
    }

    fn report_by(&self, token: &str, input: Value) -> Ask {
        self.hub.graphql(PROGRESS).by(token).variables(json!({ "input": input }))
    }

    /// Reports progress in the lesson as the student: this, and what the rest says.
    async fn progress(&self, last_second: i32, rest: Value) -> Value {
        let input = json!({"lessonId": self.lesson.id, "source": "VIMEO", "lastSecond": last_second});
        self.report(with(input, rest)).data().await["recordVideoProgress"].take()
    }

    /// A play in the lesson, and what the rest says.
    fn event(&self, rest: Value) -> Value {
        with(json!({"clientEventId": Uuid::new_v4(), "event": "play", "lessonId": self.lesson.id}), rest)
    }

    async fn count(&self, condition: &str) -> i64 {
        let statement = format!("SELECT count(*) FROM video_player_events WHERE {condition}");
        self.hub.database.client().await.query_one(&statement, &[]).await.unwrap().get(0)
    }
}

/// An object with the members of another added, or put in place of its own.
fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("{members} is no object") };
    object.as_object_mut().unwrap().extend(members);
    object
}

/// The rule that a result's event broke, and its field.
fn refusal(result: &Value) -> (&str, &str, &str) {
    assert!(result["eventId"].is_null(), "{result}");
    let error = &result["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{result}");
    let [code, reason] = ["code", "reason"].map(|key| error[key].as_str().unwrap());
    (code, reason, error["field"].as_str().unwrap_or_default())
}
