//! What `/import` answers: what became of each event, or what it says became of them.

use serde::Deserialize;

use crate::telemetry::driver::outcome::{EventOutcome, Failure, FailureClass, SendOutcome};
use crate::telemetry::driver::reply::Reply;
use crate::telemetry::driver::secrets::Secrets;

#[derive(Deserialize)]
struct Told {
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

/// What a 2xx or a 400 means for so many events.
///
/// An answer that does not add up is no answer: everything in it is asked again, by halves where something was refused.
/// Nothing is taken for delivered because it was not complained of.
pub fn judge(reply: &Reply, sent: usize, secrets: &Secrets) -> SendOutcome {
    let status = reply.status.as_u16();
    let told: Option<Told> = reply.is_whole.then(|| serde_json::from_slice(&reply.body).ok()).flatten();
    if reply.status.is_success() {
        return match told.and_then(|told| told.num_records_imported) {
            Some(imported) if imported == sent => SendOutcome::PerEvent(vec![EventOutcome::Delivered; sent]),
            Some(_) => refused(status, reply, secrets),
            None => SendOutcome::RetryLater {
                failure: Failure::with_status(FailureClass::Unreadable, status, None),
                pause: None,
                maybe_delivered: true,
            },
        };
    }
    let outcomes = told.and_then(|told| outcomes(told, sent, status, secrets));
    outcomes.map_or_else(|| refused(status, reply, secrets), SendOutcome::PerEvent)
}

/// A outcome for each event, if the answer adds up.
fn outcomes(told: Told, sent: usize, status: u16, secrets: &Secrets) -> Option<Vec<EventOutcome>> {
    let failed = told.failed_records.filter(|failed| !failed.is_empty())?;
    if told.num_records_imported? + failed.len() != sent {
        return None;
    }
    let mut outcomes = vec![EventOutcome::Delivered; sent];
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

fn refused(status: u16, reply: &Reply, secrets: &Secrets) -> SendOutcome {
    let said = secrets.redact(&String::from_utf8_lossy(&reply.body));
    SendOutcome::Refused(Failure::with_status(FailureClass::Refused, status, said))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answer(status: u16, body: &str) -> SendOutcome {
        let status = StatusCode::from_u16(status).unwrap();
        let reply = Reply { status, body: body.as_bytes().to_vec(), is_whole: true, pause: None };
        judge(&reply, 3, &Secrets::default())
    }

    fn is_refused(status: u16, body: &str) -> bool {
        matches!(answer(status, body), SendOutcome::Refused(_))
    }

    #[test]
    fn the_events_that_are_complained_of_are_dead_and_the_others_delivered() {
        let told = r#"{"code":400,"num_records_imported":2,"failed_records":
            [{"index":1,"$insert_id":"x","field":"properties.time","message":"is invalid"}]}"#;
        let SendOutcome::PerEvent(outcomes) = answer(400, told) else { panic!("it adds up") };
        assert_eq!((&outcomes[0], &outcomes[2]), (&EventOutcome::Delivered, &EventOutcome::Delivered));
        let EventOutcome::Dead(failure) = &outcomes[1] else { panic!("it was complained of") };
        assert_eq!(failure.code.as_deref(), Some("properties.time"));
    }

    #[test]
    fn what_does_not_add_up_is_asked_again_by_halves() {
        for told in [
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
            assert!(is_refused(400, told), "{told}");
        }
        assert!(is_refused(200, r#"{"code":200,"num_records_imported":2,"status":"OK"}"#));
    }

    #[test]
    fn success_is_believed_only_in_the_services_own_words() {
        let all = r#"{"code":200,"num_records_imported":3,"status":"OK"}"#;
        assert_eq!(answer(200, all), SendOutcome::PerEvent(vec![EventOutcome::Delivered; 3]));
        for told in ["<html>ok</html>", "", "1", r#"{"status":"OK"}"#] {
            assert!(matches!(answer(200, told), SendOutcome::RetryLater { .. }), "{told}");
        }
    }
}
