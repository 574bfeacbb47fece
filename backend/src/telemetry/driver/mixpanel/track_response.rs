//! Interprets the responses of `/track`, which report one outcome for all events.

use serde::Deserialize;

use crate::telemetry::driver::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use crate::telemetry::driver::response::Response;
use crate::telemetry::driver::secrets::Secrets;

#[derive(Deserialize)]
struct ResponseBody {
    status: i64,
    #[serde(default)]
    error: Option<String>,
}

/// Interprets a 2xx or 400 for a request with `event_count` events.
pub fn interpret(response: &Response, event_count: usize, secrets: &Secrets) -> SendOutcome {
    let status = response.status.as_u16();
    let text = String::from_utf8_lossy(&response.body);
    let message = || secrets.redact(&text);
    let refused = || SendOutcome::Refused(Failure::with_status(FailureClass::Refused, status, message()));
    if !response.status.is_success() {
        return refused();
    }
    let retry_later = |class| SendOutcome::RetryLater {
        failure: Failure::with_status(class, status, message()),
        retry_after: response.retry_after,
        maybe_delivered: true,
    };
    if !response.is_complete {
        return retry_later(FailureClass::Unreadable);
    }
    match text.trim() {
        "1" => return SendOutcome::PerEvent(vec![EventOutcome::Delivered; event_count]),
        "0" => return refused(),
        _ => {}
    }
    match serde_json::from_str(&text) {
        Ok(ResponseBody { status: 1, .. }) => {
            SendOutcome::PerEvent(vec![EventOutcome::Delivered; event_count])
        }
        Ok(ResponseBody { status: 0, error }) => {
            let error = error.unwrap_or_default().to_lowercase();
            if error.contains("rate limit") {
                retry_later(FailureClass::Throttled)
            } else if error.contains("temporar") {
                retry_later(FailureClass::Down)
            } else {
                refused()
            }
        }
        Ok(ResponseBody { .. }) | Err(_) => retry_later(FailureClass::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn outcome(body: &str) -> SendOutcome {
        let response = Response {
            status: StatusCode::OK,
            body: body.as_bytes().to_vec(),
            is_complete: true,
            retry_after: None,
        };
        interpret(&response, 2, &Secrets::default())
    }

    #[test]
    fn a_200_alone_does_not_count_as_success() {
        let delivered = SendOutcome::PerEvent(vec![EventOutcome::Delivered; 2]);
        assert_eq!(outcome(r#"{"status":1,"error":null}"#), delivered);
        assert_eq!(outcome("1"), delivered);
        assert!(matches!(outcome("0"), SendOutcome::Refused(_)));
        assert!(matches!(outcome(r#"{"status":0,"error":"some data was bad"}"#), SendOutcome::Refused(_)));
        for body in [
            r#"{"status":0,"error":"a temporary failure occurred"}"#,
            r#"{"status":0,"error":"Rate limit exceeded"}"#,
            "",
            "<html>upstream connect error</html>",
            r#"{"status":2}"#,
        ] {
            assert!(matches!(outcome(body), SendOutcome::RetryLater { .. }), "{body}");
        }
    }
}
