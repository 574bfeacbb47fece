//! Interprets the responses of `/import`, which reports the outcome of each event.

use serde::Deserialize;

use crate::telemetry::driver::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use crate::telemetry::driver::response::Response;
use crate::telemetry::driver::secrets::Secrets;

#[derive(Deserialize)]
struct ResponseBody {
    num_records_imported: Option<usize>,
    failed_records: Option<Vec<FailedRecord>>,
}

#[derive(Deserialize)]
struct FailedRecord {
    index: usize,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Interprets a 2xx or 400 for a request with `event_count` events.
///
/// If the numbers of a response do not add up, all its events are sent again, in halves if some were refused.
/// The absence of an error alone never makes an event count as delivered.
pub fn interpret(response: &Response, event_count: usize, secrets: &Secrets) -> SendOutcome {
    let status = response.status.as_u16();
    let body: Option<ResponseBody> =
        response.is_complete.then(|| serde_json::from_slice(&response.body).ok()).flatten();
    if response.status.is_success() {
        return match body.and_then(|body| body.num_records_imported) {
            Some(imported) if imported == event_count => {
                SendOutcome::PerEvent(vec![EventOutcome::Delivered; event_count])
            }
            Some(_) => refused(status, response, secrets),
            None => SendOutcome::RetryLater {
                failure: Failure::with_status(FailureClass::Unreadable, status, None),
                retry_after: None,
                maybe_delivered: true,
            },
        };
    }
    let outcomes = body.and_then(|body| outcomes(body, event_count, status, secrets));
    outcomes.map_or_else(|| refused(status, response, secrets), SendOutcome::PerEvent)
}

/// The outcome of each event; `None` if the numbers do not add up.
fn outcomes(
    body: ResponseBody,
    event_count: usize,
    status: u16,
    secrets: &Secrets,
) -> Option<Vec<EventOutcome>> {
    let failed = body.failed_records.filter(|failed| !failed.is_empty())?;
    if body.num_records_imported? + failed.len() != event_count {
        return None;
    }
    let mut outcomes = vec![EventOutcome::Delivered; event_count];
    for record in failed {
        let outcome = outcomes.get_mut(record.index)?;
        if *outcome != EventOutcome::Delivered {
            return None;
        }
        *outcome = EventOutcome::Dead(Failure {
            class: FailureClass::Refused,
            http_status: Some(status),
            code: record.field.as_deref().and_then(|field| secrets.redact(field)),
            message: record.message.as_deref().and_then(|message| secrets.redact(message)),
        });
    }
    Some(outcomes)
}

fn refused(status: u16, response: &Response, secrets: &Secrets) -> SendOutcome {
    let message = secrets.redact(&String::from_utf8_lossy(&response.body));
    SendOutcome::Refused(Failure::with_status(FailureClass::Refused, status, message))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn outcome(status: u16, body: &str) -> SendOutcome {
        let status = StatusCode::from_u16(status).unwrap();
        let response =
            Response { status, body: body.as_bytes().to_vec(), is_complete: true, retry_after: None };
        interpret(&response, 3, &Secrets::default())
    }

    fn is_refused(status: u16, body: &str) -> bool {
        matches!(outcome(status, body), SendOutcome::Refused(_))
    }

    #[test]
    fn failed_records_are_dead_and_the_other_events_are_delivered() {
        let body = r#"{"code":400,"num_records_imported":2,"failed_records":
            [{"index":1,"$insert_id":"x","field":"properties.time","message":"is invalid"}]}"#;
        let SendOutcome::PerEvent(outcomes) = outcome(400, body) else { panic!("the numbers add up") };
        assert_eq!((&outcomes[0], &outcomes[2]), (&EventOutcome::Delivered, &EventOutcome::Delivered));
        let EventOutcome::Dead(failure) = &outcomes[1] else { panic!("record 1 failed") };
        assert_eq!(failure.code.as_deref(), Some("properties.time"));
    }

    #[test]
    fn a_response_that_does_not_add_up_counts_as_refused() {
        for body in [
            r#"{"code":400}"#,
            r#"{"num_records_imported":3,"failed_records":[]}"#,
            r#"{"num_records_imported":3,"failed_records":[{"index":1}]}"#,
            r#"{"num_records_imported":2,"failed_records":[{"index":3}]}"#,
            r#"{"num_records_imported":1,"failed_records":[{"index":1},{"index":1}]}"#,
            r#"{"failed_records":[{"index":1}]}"#,
            r#"{"num_records_imported":2,"failed_rec"#,
            "<html>",
            "",
        ] {
            assert!(is_refused(400, body), "{body}");
        }
        assert!(is_refused(200, r#"{"code":200,"num_records_imported":2,"status":"OK"}"#));
    }

    #[test]
    fn only_a_complete_report_counts_as_success() {
        let all = r#"{"code":200,"num_records_imported":3,"status":"OK"}"#;
        assert_eq!(outcome(200, all), SendOutcome::PerEvent(vec![EventOutcome::Delivered; 3]));
        for body in ["<html>ok</html>", "", "1", r#"{"status":"OK"}"#] {
            assert!(matches!(outcome(200, body), SendOutcome::RetryLater { .. }), "{body}");
        }
    }
}
