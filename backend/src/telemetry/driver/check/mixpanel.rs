//! Checks the Mixpanel settings by sending an empty batch to each endpoint that they use.
//!
//! `/import` checks the credentials before the events, so an empty import shows whether they are valid. That
//! includes a project token. `/track` accepts any token, so the check shows only that Mixpanel responds.
//! Mixpanel's response to an empty batch is not documented. Its own add-on for Google Sheets tests
//! credentials in this way, and takes the error "data, missing or empty" as a sign that they are valid.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{CheckResult, describe, describe_foreign, describe_unexpected};
use crate::telemetry::driver::Route;
use crate::telemetry::driver::mixpanel::Mixpanel;
use crate::telemetry::driver::outcome::{Failure, SendOutcome};
use crate::telemetry::driver::response::{self, Response};

/// Checks every endpoint that events may be sent to.
pub(super) async fn check(mixpanel: &Mixpanel, now: DateTime<Utc>) -> CheckResult {
    let mut problems = Vec::new();
    for route in mixpanel.routes() {
        problems.extend(problem(mixpanel, *route, now).await);
    }
    if !problems.is_empty() {
        return CheckResult::Failed(problems);
    }
    let proves_token = mixpanel.routes().iter().any(|route| *route != Route::Track);
    let unproven =
        (!proves_token).then_some("whether the project token is correct (/track never reports it)");
    CheckResult::Passed { unproven }
}

/// The problem with one endpoint, if there is one.
async fn problem(mixpanel: &Mixpanel, route: Route, now: DateTime<Utc>) -> Option<String> {
    let endpoint = route.path();
    let response = match response::send(mixpanel.request(route, b"[]"), now).await {
        Ok(response) => response,
        Err(outcome) => return Some(describe(endpoint, &outcome)),
    };
    if let Some(outcome) = response::outcome_from_status(&response, mixpanel.secrets()) {
        let problem = describe(endpoint, &outcome);
        return Some(match (route, &outcome) {
            (Route::ImportByToken, SendOutcome::Unusable(_, Failure { http_status: Some(401), .. })) => {
                format!(
                    "{problem}; the project token is wrong, or Mixpanel does not accept it for events older than \
                     five days"
                )
            }
            _ => problem,
        });
    }
    match EmptyBatchResult::read(&response) {
        EmptyBatchResult::Accepted => None,
        EmptyBatchResult::Error => Some(describe_unexpected(endpoint, &response, mixpanel.secrets())),
        EmptyBatchResult::NotMixpanel => Some(describe_foreign(endpoint, &response, "Mixpanel")),
    }
}

/// What the response to an empty batch means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EmptyBatchResult {
    /// Mixpanel accepted the credentials. It may have complained that the batch is empty.
    Accepted,
    /// Mixpanel reported another error.
    Error,
    /// The response does not come from Mixpanel.
    NotMixpanel,
}

/// The fields that are common to the responses of both endpoints.
#[derive(Deserialize)]
struct ResponseBody {
    num_records_imported: Option<u64>,
    #[serde(default)]
    error: Option<String>,
    /// A name from `/import`, a number from `/track`.
    status: serde_json::Value,
}

impl EmptyBatchResult {
    fn read(response: &Response) -> Self {
        if !response.is_complete {
            return Self::NotMixpanel;
        }
        if response.status.is_success() && matches!(response.body.trim_ascii(), b"0" | b"1") {
            return Self::Accepted;
        }
        let Ok(ResponseBody { num_records_imported, error, status }) = serde_json::from_slice(&response.body)
        else {
            return Self::NotMixpanel;
        };
        if num_records_imported.is_none() && error.is_none() && !status.is_u64() {
            return Self::NotMixpanel;
        }
        let is_accepted = match error.filter(|error| !error.is_empty()) {
            Some(error) => is_empty_batch_error(&error),
            None => response.status.is_success() && num_records_imported.unwrap_or_default() == 0,
        };
        if is_accepted { Self::Accepted } else { Self::Error }
    }
}

/// Whether the error only says that the batch is empty.
fn is_empty_batch_error(error: &str) -> bool {
    let error = error.to_lowercase();
    let is_about_the_batch = error.contains("empty") || error.contains("failed validation");
    // A missing or wrong project in the credentials is an error of the settings.
    is_about_the_batch && !error.contains("project") && !error.contains("token")
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn result(status: u16, body: &str) -> EmptyBatchResult {
        let status = StatusCode::from_u16(status).unwrap();
        EmptyBatchResult::read(&Response {
            status,
            body: body.as_bytes().to_vec(),
            is_complete: true,
            retry_after: None,
        })
    }

    #[test]
    fn a_response_to_an_empty_batch_shows_valid_credentials() {
        for (status, body) in [
            (200, r#"{"code":200,"num_records_imported":0,"status":"OK"}"#),
            (200, r#"{"error":"data, missing or empty","status":0}"#),
            (200, r#"{"error":null,"status":1}"#),
            (200, r#"{"error":"","status":1}"#),
            (200, "0\n"),
            (200, "1"),
            (400, r#"{"code":400,"error":"data, missing or empty","status":"Bad Request"}"#),
            (
                400,
                r#"{"code":400,"error":"some data points in the request failed validation","status":"Bad Request",
                    "num_records_imported":0,"failed_records":[]}"#,
            ),
        ] {
            assert_eq!(result(status, body), EmptyBatchResult::Accepted, "{status} {body}");
        }
    }

    #[test]
    fn any_other_response_of_mixpanel_is_an_error() {
        for (status, body) in [
            (200, r#"{"code":200,"num_records_imported":7,"status":"OK"}"#),
            (200, r#"{"error":"a temporary failure occurred","status":0}"#),
            (400, r#"{"code":400,"error":"project_id must not be missing or empty","status":"Bad Request"}"#),
            (400, r#"{"code":400,"error":"invalid content encoding","status":"Bad Request"}"#),
            (413, r#"{"code":413,"error":"request exceeds max limit of 2097152 bytes","status":"x"}"#),
        ] {
            assert_eq!(result(status, body), EmptyBatchResult::Error, "{status} {body}");
        }
    }

    #[test]
    fn a_response_of_another_server_is_recognized() {
        for (status, body) in [
            (200, "<html><body>empty</body></html>"),
            (400, "<html><body>Bad Request</body></html>"),
            (200, ""),
            (400, "0"),
            (200, r#"{"status":"OK"}"#),
            (200, r#"{"message":"empty"}"#),
            (200, r#"{"num_records_imported":0,"sta"#),
        ] {
            assert_eq!(result(status, body), EmptyBatchResult::NotMixpanel, "{status} {body}");
        }
    }
}
