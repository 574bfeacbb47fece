//! Tries a driver's settings out without sending anything that would count.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::ga4::Ga4;
use super::mixpanel::Mixpanel;
use super::{Driver, reply};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// As far as it can be told, events would be taken.
    Good {
        /// What cannot be told.
        unproven: Option<&'static str>,
    },
    /// Something is wrong, in the service's words or ours.
    Bad(Vec<String>),
}

impl Driver {
    /// Asks the service what it thinks of the settings.
    pub async fn check(&self, now: DateTime<Utc>) -> Checked {
        match self {
            Self::Ga4(ga4) => check_ga4(ga4, now).await,
            Self::Mixpanel(mixpanel) => check_mixpanel(mixpanel).await,
        }
    }
}

/// The service's own validator looks at a sample. It stores nothing, and knows neither streams nor secrets.
async fn check_ga4(ga4: &Ga4, now: DateTime<Utc>) -> Checked {
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
    let request = ga4
        .client()
        .post(ga4.address("debug/mp/collect"))
        .header(CONTENT_TYPE, "application/json")
        .body(sample.to_string());
    let reply = match reply::send(request).await {
        Ok(reply) => reply,
        Err(answer) => return Checked::Bad(vec![in_words(&answer)]),
    };
    if let Some(answer) = reply::by_status(&reply, ga4.secrets()) {
        return Checked::Bad(vec![in_words(&answer)]);
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
        Err(_) => Checked::Bad(vec![format!("it answered {} in words that are not GA4's", reply.status)]),
    }
}

/// An import of nothing: whoever is not let in is told so.
async fn check_mixpanel(mixpanel: &Mixpanel) -> Checked {
    let request = mixpanel.check_request().header(CONTENT_TYPE, "application/json").body("[]");
    let reply = match reply::send(request).await {
        Ok(reply) => reply,
        Err(answer) => return Checked::Bad(vec![in_words(&answer)]),
    };
    match reply::by_status(&reply, mixpanel.secrets()) {
        Some(answer) => Checked::Bad(vec![in_words(&answer)]),
        None => Checked::Good { unproven: None },
    }
}

fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Closed(_, failure) | Answer::Later { failure, .. } | Answer::Unanswered(failure) => {
            match (failure.http_status, &failure.message) {
                (Some(status), Some(message)) => format!("it answered {status}: {message}"),
                (Some(status), None) => format!("it answered {status}"),
                (None, _) => "it could not be reached, or did not answer".to_owned(),
            }
        }
        Answer::Refused(_) | Answer::Verdicts(_) => "it answered what cannot be understood".to_owned(),
    }
}
