//! What `/import` answers: what became of each event, or what it says became of them.

use serde::Deserialize;

use crate::telemetry::driver::answer::{Answer, Failure, FailureClass, Verdict};
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
pub fn judge(reply: &Reply, sent: usize, secrets: &Secrets) -> Answer {
    let status = reply.status.as_u16();
    let told: Option<Told> = reply.is_whole.then(|| serde_json::from_slice(&reply.body).ok()).flatten();
    if reply.status.is_success() {
        return match told.and_then(|told| told.num_records_imported) {
            Some(imported) if imported == sent => Answer::Verdicts(vec![Verdict::Delivered; sent]),
            Some(_) => refused(status, reply, secrets),
            None => Answer::Later {
                failure: Failure::with_status(FailureClass::Unreadable, status, None),
                pause: None,
                doubtful: true,
            },
        };
    }
    let verdicts = told.and_then(|told| verdicts(told, sent, status, secrets));
    verdicts.map_or_else(|| refused(status, reply, secrets), Answer::Verdicts)
}

/// A verdict for each event, if the answer adds up.
fn verdicts(told: Told, sent: usize, status: u16, secrets: &Secrets) -> Option<Vec<Verdict>> {
    let failed = told.failed_records.filter(|failed| !failed.is_empty())?;
    if told.num_records_imported? + failed.len() != sent {
        return None;
    }
    let mut verdicts = vec![Verdict::Delivered; sent];
    for record in failed {
        let verdict = verdicts.get_mut(record.index)?;
        if *verdict != Verdict::Delivered {
            return None;
        }
        *verdict = Verdict::Dead(Failure {
            class: FailureClass::Refused,
            http_status: Some(status),
            code: record.field.as_deref().and_then(|field| secrets.redact(field)),
            message: record.message.as_deref().and_then(|message| secrets.redact(message)),
        });
    }
    Some(verdicts)
}

fn refused(status: u16, reply: &Reply, secrets: &Secrets) -> Answer {
    let said = secrets.redact(&String::from_utf8_lossy(&reply.body));
    Answer::Refused(Failure::with_status(FailureClass::Refused, status, said))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        let reply = Reply { status, body: body.as_bytes().to_vec(), is_whole: true, pause: None };
        judge(&reply, 3, &Secrets::default())
    }

    fn is_refused(status: u16, body: &str) -> bool {
        matches!(answer(status, body), Answer::Refused(_))
    }

    #[test]
    fn the_events_that_are_complained_of_are_dead_and_the_others_delivered() {
        let told = r#"{"code":400,"num_records_imported":2,"failed_records":
            [{"index":1,"$insert_id":"x","field":"properties.time","message":"is invalid"}]}"#;
        let Answer::Verdicts(verdicts) = answer(400, told) else { panic!("it adds up") };
        assert_eq!((&verdicts[0], &verdicts[2]), (&Verdict::Delivered, &Verdict::Delivered));
        let Verdict::Dead(failure) = &verdicts[1] else { panic!("it was complained of") };
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
        assert_eq!(answer(200, all), Answer::Verdicts(vec![Verdict::Delivered; 3]));
        for told in ["<html>ok</html>", "", "1", r#"{"status":"OK"}"#] {
            assert!(matches!(answer(200, told), Answer::Later { .. }), "{told}");
        }
    }
}
