//! `/track`: what anybody may send. Its answer says little, and never whether an event was kept.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Batch, Circumstances, Judged, NewEvent, normal, rules};
use crate::http::{Head, Request, Response};
use crate::verdict::{Reason, Verdict};

/// How old an event may be. Source: "Track events"; older ones are dropped and the answer is that of success.
const PAST_DAYS: i64 = 5;

/// The smallest picture, which `img=1` asks for.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

/// Answers a request to `/track`.
pub(super) fn judge(request: &Request, batch: &Batch, around: Circumstances<'_>) -> Judged {
    let head = &request.head;
    let unread = |error| Judged::all(answer(head, Some(error)), batch, &Verdict::dropped(Reason::BadJson));
    if batch.size > around.config.body_limit {
        let error = format!("request exceeds max limit of {} bytes", around.config.body_limit);
        let response = super::import::refusal_answer(413, &error);
        return Judged::all(response, batch, &Verdict::dropped(Reason::TooLarge));
    }
    if !batch.is_json() || batch.events().is_empty() {
        return unread("data, missing or empty");
    }
    if batch.events().len() > around.config.event_limit {
        // Assumption: as for `/import`.
        let status = around.config.too_many_events_status;
        let response = super::import::refusal_answer(status, "too many events");
        return Judged::all(response, batch, &Verdict::dropped(Reason::TooManyEvents));
    }
    let mut stored = Vec::new();
    let mut error = Some("some data points in the request failed validation");
    let verdicts = batch.events().iter().map(|event| match token(event) {
        Some(token) => {
            error = None;
            match take(event, token, head, around) {
                Ok(new) => {
                    let at = chrono::DateTime::from_timestamp_millis(new.time_millis).unwrap_or(around.now);
                    let verdict = Verdict::Stored { at, flags: new.flags.clone() };
                    stored.push(new);
                    verdict
                }
                Err(reason) => Verdict::dropped(reason),
            }
        }
        None => Verdict::dropped(Reason::Malformed),
    });
    let verdicts = verdicts.collect();
    Judged { response: answer(head, error), verdicts, stored }
}

/// The token of an event that is well-formed: it has a name, and properties with a token.
fn token(event: &Value) -> Option<&str> {
    let name = event.get("event")?.as_str()?;
    let token = event.get("properties")?.as_object()?.get("token")?.as_str()?;
    (!name.is_empty() && !token.is_empty()).then_some(token)
}

/// Takes an event, or says why it vanishes.
fn take(event: &Value, token: &str, head: &Head, around: Circumstances<'_>) -> Result<NewEvent, Reason> {
    let project = around.config.projects.iter().find(|project| project.token == token);
    let project = project.ok_or(Reason::UnknownToken)?;
    let properties = event["properties"].as_object().ok_or(Reason::Malformed)?;
    if properties.contains_key("$ignore") {
        return Err(Reason::Ignored);
    }
    let distinct_id = properties.get("distinct_id").and_then(Value::as_str);
    if distinct_id.is_some_and(rules::is_forbidden_id) {
        return Err(Reason::DistinctIdForbidden);
    }
    let at = match properties.get("time") {
        None | Some(Value::Null) => around.now,
        Some(_) => rules::time(properties).ok_or(Reason::Malformed)?,
    };
    if at < around.now - TimeDelta::days(PAST_DAYS) {
        return Err(Reason::TooOld);
    }
    if !rules::is_possible(at, around.now) {
        return Err(Reason::Malformed);
    }
    let mut new = normal::event(event, at, &project.id, around);
    new.properties.remove("token");
    if head.switched_on("ip") && !new.properties.contains_key("ip") {
        new.properties.insert("ip".to_owned(), json!(around.peer.to_string()));
    }
    Ok(new)
}

/// `1` or `0`, and with `verbose=1` why; always with status 200.
fn answer(head: &Head, error: Option<&str>) -> Response {
    let status = u8::from(error.is_none());
    if head.switched_on("img") {
        return Response::of(200, "image/gif", PIXEL);
    }
    if let Some(function) = head.query_value("callback") {
        return Response::of(200, "application/javascript", format!("{function}({status});"));
    }
    if head.switched_on("verbose") {
        return Response::json(200, &json!({"status": status, "error": error}));
    }
    Response::of(200, "text/plain; charset=utf-8", status.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::config::{MixpanelConfig, PROJECT_TOKEN};
    use crate::mixpanel::TRACK;
    use crate::verdict::Flag;

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    fn tracked(query: &str, body: &Value) -> (String, Vec<Verdict>, Vec<NewEvent>) {
        let head = Head { path: TRACK.to_owned(), query: query.to_owned(), ..Head::default() };
        let request = Request { head, body: body.to_string().into_bytes() };
        let config = MixpanelConfig::default();
        let around = Circumstances { now: now(), peer: [127, 0, 0, 1].into(), config: &config, poison: None };
        let judged = judge(&request, &Batch::read(&request), around);
        (String::from_utf8_lossy(&judged.response.body).into_owned(), judged.verdicts, judged.stored)
    }

    fn event(change: &Value) -> Value {
        let mut properties = json!({"token": PROJECT_TOKEN, "time": now().timestamp(), "distinct_id": "42", "$insert_id": "a"});
        properties.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({"event": "play", "properties": properties})
    }

    #[test]
    fn a_wrong_token_and_an_old_event_are_answered_as_success_and_vanish() {
        let old = (now() - TimeDelta::days(5) - TimeDelta::seconds(1)).timestamp_millis();
        for (change, reason) in [
            (json!({"token": "wrong"}), Reason::UnknownToken),
            (json!({"time": old}), Reason::TooOld),
            (json!({"time": now().timestamp() + 3601}), Reason::Malformed),
            (json!({"distinct_id": "null"}), Reason::DistinctIdForbidden),
        ] {
            let (answer, verdicts, stored) = tracked("", &json!([event(&change)]));
            assert_eq!((answer.as_str(), stored.len()), ("1", 0));
            assert_eq!(verdicts, [Verdict::dropped(reason)]);
        }
    }

    #[test]
    fn one_well_formed_event_makes_the_answer_one() {
        let good = event(&json!({}));
        let (answer, verdicts, stored) = tracked("", &json!([{"event": ""}, good]));
        assert_eq!((answer.as_str(), stored.len()), ("1", 1));
        assert_eq!(verdicts[0], Verdict::dropped(Reason::Malformed));
        assert_eq!(tracked("", &json!([{"event": "play"}])).0, "0");
        assert_eq!(tracked("", &json!([])).0, "0");
    }

    #[test]
    fn the_answer_comes_in_the_form_that_was_asked_for() {
        let body = json!([event(&json!({}))]);
        assert_eq!(tracked("verbose=1&ip=0", &body).0, r#"{"error":null,"status":1}"#);
        assert_eq!(
            tracked("verbose=1", &json!([{}])).0,
            r#"{"error":"some data points in the request failed validation","status":0}"#
        );
        assert_eq!(tracked("callback=done", &body).0, "done(1);");
        assert!(tracked("img=1", &body).0.starts_with("GIF89a"));
    }

    #[test]
    fn what_is_missing_is_made_up() {
        let properties = json!({"token": PROJECT_TOKEN});
        let (_, _, stored) = tracked("ip=1", &json!({"event": "play", "properties": properties}));
        assert_eq!(stored[0].flags, [Flag::DistinctIdFromAddress, Flag::InsertIdMade]);
        assert_eq!(stored[0].time_millis, now().timestamp_millis());
        assert_eq!(stored[0].properties["ip"], "127.0.0.1");
    }
}
