//! Checks the GA4 settings by sending a sample event to GA4's validation server. It stores nothing and does
//! not verify the measurement id or the API secret.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use super::{CheckResult, describe, describe_foreign};
use crate::telemetry::driver::ga4::Ga4;
use crate::telemetry::driver::response;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseBody {
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

/// Validates a sample event.
pub(super) async fn check(ga4: &Ga4, now: DateTime<Utc>) -> CheckResult {
    let recorded_at = now - TimeDelta::minutes(1);
    let sample = json!({
        "client_id": format!("1.{}", recorded_at.timestamp()),
        "user_id": "1",
        "validation_behavior": "ENFORCE_RECOMMENDATIONS",
        "events": [{
            "name": "player_progress",
            "timestamp_micros": recorded_at.timestamp_micros(),
            "params": {
                "session_id": recorded_at.timestamp().to_string(),
                "engagement_time_msec": 1,
                "lesson_id": 1,
            },
        }],
    });
    let request = ga4.debug_request().header(CONTENT_TYPE, "application/json").body(sample.to_string());
    let response = match response::send(request, now).await {
        Ok(response) => response,
        Err(outcome) => return CheckResult::Failed(vec![describe("/debug/mp/collect", &outcome)]),
    };
    if let Some(outcome) = response::outcome_from_status(&response, ga4.secrets()) {
        return CheckResult::Failed(vec![describe("/debug/mp/collect", &outcome)]);
    }
    match serde_json::from_slice::<ResponseBody>(&response.body) {
        Ok(body) if body.validation_messages.is_empty() => CheckResult::Passed {
            unproven: Some("whether the measurement id and the secret are correct (GA4 never reports it)"),
        },
        Ok(body) => {
            let describe = |message: Message| {
                let text = format!("{} {}", message.field_path, message.description);
                ga4.secrets().redact(&text).unwrap_or_default()
            };
            CheckResult::Failed(body.validation_messages.into_iter().map(describe).collect())
        }
        Err(_) => CheckResult::Failed(vec![describe_foreign("/debug/mp/collect", &response, "GA4")]),
    }
}
