//! The answers as JSON, with ids as strings.

use chrono::{DateTime, Utc};
use domain::Locale;
use serde::Serialize;

use crate::graphql::record::InputError;
use crate::telemetry::ingest::{Accepted, Reported};
use crate::telemetry::refusal::Refusal;

/// How far a viewer has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    lesson_id: String,
    last_second: i32,
    furthest_second: i32,
    watched_seconds: i32,
    updated_at: DateTime<Utc>,
    event_id: String,
}

impl From<Reported> for Progress {
    fn from(Reported { lesson_id, event_id, progress }: Reported) -> Self {
        Self {
            lesson_id: lesson_id.to_string(),
            last_second: progress.last_second,
            furthest_second: progress.furthest_second,
            watched_seconds: progress.watched_seconds,
            updated_at: progress.updated_at,
            event_id: event_id.to_string(),
        }
    }
}

/// What became of each event, in order.
#[derive(Serialize)]
pub struct Results {
    results: Vec<EventResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventResult {
    client_event_id: Option<String>,
    event_id: Option<String>,
    duplicate: bool,
    error: Option<InputError>,
}

impl Results {
    /// In the reader's language; each with the id that its event was sent with.
    pub fn new(
        answers: impl IntoIterator<Item = (Option<String>, Result<Accepted, Refusal>)>,
        locale: Locale,
    ) -> Self {
        let result = |(client_event_id, answer)| match answer {
            Ok(Accepted { recorded, duplicate }) => {
                let event_id = Some(recorded.event_id.to_string());
                EventResult { client_event_id, event_id, duplicate, error: None }
            }
            Err(refusal) => {
                let error = Some(InputError::new(refusal, locale));
                EventResult { client_event_id, event_id: None, duplicate: false, error }
            }
        };
        Self { results: answers.into_iter().map(result).collect() }
    }
}
