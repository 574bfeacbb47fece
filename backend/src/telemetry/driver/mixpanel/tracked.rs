//! What `/track` answers: one word for all events.

use serde::Deserialize;

use crate::telemetry::driver::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use crate::telemetry::driver::reply::Reply;
use crate::telemetry::driver::secrets::Secrets;

#[derive(Deserialize)]
struct Told {
    status: i64,
    #[serde(default)]
    error: Option<String>,
}

/// What a 2xx or a 400 means for so many events.
pub fn judge(reply: &Reply, sent: usize, secrets: &Secrets) -> SendOutcome {
    let status = reply.status.as_u16();
    let text = String::from_utf8_lossy(&reply.body);
    let said = || secrets.redact(&text);
    let refused = || SendOutcome::Refused(Failure::with_status(FailureClass::Refused, status, said()));
    if !reply.status.is_success() {
        return refused();
    }
    let passing = |class| SendOutcome::RetryLater {
        failure: Failure::with_status(class, status, said()),
        pause: reply.pause,
        maybe_delivered: true,
    };
    if !reply.is_whole {
        return passing(FailureClass::Unreadable);
    }
    match text.trim() {
        "1" => return SendOutcome::PerEvent(vec![EventOutcome::Delivered; sent]),
        "0" => return refused(),
        _ => {}
    }
    match serde_json::from_str(&text) {
        Ok(Told { status: 1, .. }) => SendOutcome::PerEvent(vec![EventOutcome::Delivered; sent]),
        Ok(Told { status: 0, error }) => {
            let error = error.unwrap_or_default().to_lowercase();
            if error.contains("rate limit") {
                passing(FailureClass::Throttled)
            } else if error.contains("temporar") {
                passing(FailureClass::Down)
            } else {
                refused()
            }
        }
        Ok(Told { .. }) | Err(_) => passing(FailureClass::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answer(body: &str) -> SendOutcome {
        let reply =
            Reply { status: StatusCode::OK, body: body.as_bytes().to_vec(), is_whole: true, pause: None };
        judge(&reply, 2, &Secrets::default())
    }

    #[test]
    fn a_status_of_200_is_not_taken_for_success() {
        let delivered = SendOutcome::PerEvent(vec![EventOutcome::Delivered; 2]);
        assert_eq!(answer(r#"{"status":1,"error":null}"#), delivered);
        assert_eq!(answer("1"), delivered);
        assert!(matches!(answer("0"), SendOutcome::Refused(_)));
        assert!(matches!(answer(r#"{"status":0,"error":"some data was bad"}"#), SendOutcome::Refused(_)));
        for passing in [
            r#"{"status":0,"error":"a temporary failure occurred"}"#,
            r#"{"status":0,"error":"Rate limit exceeded"}"#,
            "",
            "<html>upstream connect error</html>",
            r#"{"status":2}"#,
        ] {
            assert!(matches!(answer(passing), SendOutcome::RetryLater { .. }), "{passing}");
        }
    }
}
