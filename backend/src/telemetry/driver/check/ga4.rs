//! Whether GA4 takes what is sent to it. Its own validator looks at a sample: it stores nothing, and knows neither streams
//! nor secrets.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use super::{Checked, foreign, in_words};
use crate::telemetry::driver::ga4::Ga4;
use crate::telemetry::driver::reply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    validation_messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    field_path: String,
    #[serde(default)]
    description: String,
}

/// Asks the validator.
pub(super) async fn check(ga4: &Ga4, now: DateTime<Utc>) -> Checked {
    let moment = now - TimeDelta::minutes(1);
    let sample = json!({
        "client_id": format!("1.{}", moment.timestamp()),
        "user_id": "1",
        "validation_behavior": "ENFORCE_RECOMMENDATIONS",
        "events": [{
            "name": "player_progress",
            "timestamp_micros": moment.timestamp_micros(),
            "params": { "session_id": moment.timestamp().to_string(), "engagement_time_msec": 1, "lesson_id": 1 },
        }],
    });
    let request = ga4.debug_request().header(CONTENT_TYPE, "application/json").body(sample.to_string());
    let reply = match reply::send(request, now).await {
        Ok(reply) => reply,
        Err(answer) => return Checked::Bad(vec![in_words("it", &answer)]),
    };
    if let Some(answer) = reply::by_status(&reply, ga4.secrets()) {
        return Checked::Bad(vec![in_words("it", &answer)]);
    }
    match serde_json::from_slice::<Told>(&reply.body) {
        Ok(told) if told.validation_messages.is_empty() => Checked::Good {
            unproven: Some("whether the measurement id and the secret are right; GA4 never says"),
        },
        Ok(told) => {
            let message = |message: Message| {
                let said = format!("{} {}", message.field_path, message.description);
                ga4.secrets().redact(&said).unwrap_or_default()
            };
            Checked::Bad(told.validation_messages.into_iter().map(message).collect())
        }
        Err(_) => Checked::Bad(vec![foreign("it", &reply, "GA4")]),
    }
}
