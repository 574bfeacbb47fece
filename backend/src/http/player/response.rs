//! The responses as JSON, with ids as strings.

use chrono::{DateTime, Utc};
use domain::Locale;
use serde::Serialize;

use crate::refusal::InputError;
use crate::telemetry::ingest::{Accepted, RecordedProgress};
use crate::telemetry::refusal::Refusal;

/// A viewer's progress in a lesson.
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

impl From<RecordedProgress> for Progress {
    fn from(RecordedProgress { lesson_id, event_id, progress }: RecordedProgress) -> Self {
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

/// The result for each event, in the order of the request.
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
    /// Each result comes with the client's id of its event. Errors are in the caller's language.
    pub fn new(
        results: impl IntoIterator<Item = (Option<String>, Result<Accepted, Refusal>)>,
        locale: Locale,
    ) -> Self {
        let result = |(client_event_id, result)| match result {
            Ok(Accepted { recorded, duplicate }) => {
                let event_id = Some(recorded.event_id.to_string());
                EventResult { client_event_id, event_id, duplicate, error: None }
            }
            Err(refusal) => {
                let error = Some(InputError::new(refusal, locale));
                EventResult { client_event_id, event_id: None, duplicate: false, error }
            }
        };
        Self { results: results.into_iter().map(result).collect() }
    }
}
