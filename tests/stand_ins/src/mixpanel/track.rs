//! `/track`: accepts events from any client. The response never says whether an event was stored.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Batch, Handled, NewEvent, RequestContext, normalize, rules};
use crate::http::{Head, Request, Response};
use crate::outcome::{DropReason, Outcome};

/// Maximum age of an event, in days. Source: "Track events". Older events are dropped, but the response is a
/// success.
const MAX_AGE_DAYS: i64 = 5;

/// A GIF of one pixel, for `img=1`.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

/// Handles a request to `/track`.
pub(super) fn handle(request: &Request, batch: &Batch, context: RequestContext<'_>) -> Handled {
    let head = &request.head;
    let invalid_json =
        |error| Handled::all(response(head, Some(error)), batch, &Outcome::dropped(DropReason::BadJson));
    if batch.size > context.config.body_limit {
        let error = format!("request exceeds max limit of {} bytes", context.config.body_limit);
        let response = super::import::error_response(413, &error);
        return Handled::all(response, batch, &Outcome::dropped(DropReason::TooLarge));
    }
    if !batch.is_json() || batch.events().is_empty() {
        return invalid_json("data, missing or empty");
    }
    if batch.events().len() > context.config.event_limit {
        // Assumption: as for `/import`.
        let status = context.config.too_many_events_status;
        let response = super::import::error_response(status, "too many events");
        return Handled::all(response, batch, &Outcome::dropped(DropReason::TooManyEvents));
    }
    let mut stored = Vec::new();
    let mut error = Some("some data points in the request failed validation");
    let outcomes = batch.events().iter().map(|event| match token(event) {
        Some(token) => {
            error = None;
            match accept(event, token, head, context) {
                Ok(new) => {
                    let at = chrono::DateTime::from_timestamp_millis(new.time_millis).unwrap_or(context.now);
                    let outcome = Outcome::Stored { at, flags: new.flags.clone() };
                    stored.push(new);
                    outcome
                }
                Err(reason) => Outcome::dropped(reason),
            }
        }
        None => Outcome::dropped(DropReason::Malformed),
    });
    let outcomes = outcomes.collect();
    Handled { response: response(head, error), outcomes, stored }
}

/// The token of a well-formed event, which has a name, and properties with a token.
fn token(event: &Value) -> Option<&str> {
    let name = event.get("event")?.as_str()?;
    let token = event.get("properties")?.as_object()?.get("token")?.as_str()?;
    (!name.is_empty() && !token.is_empty()).then_some(token)
}

/// Accepts an event, or returns the reason for which it is dropped.
fn accept(
    event: &Value,
    token: &str,
    head: &Head,
    context: RequestContext<'_>,
) -> Result<NewEvent, DropReason> {
    let project = context.config.projects.iter().find(|project| project.token == token);
    let project = project.ok_or(DropReason::UnknownToken)?;
    let properties = event["properties"].as_object().ok_or(DropReason::Malformed)?;
    if properties.contains_key("$ignore") {
        return Err(DropReason::Ignored);
    }
    let distinct_id = properties.get("distinct_id").and_then(Value::as_str);
    if distinct_id.is_some_and(rules::is_forbidden_id) {
        return Err(DropReason::DistinctIdForbidden);
    }
    let at = match properties.get("time") {
        None | Some(Value::Null) => context.now,
        Some(_) => rules::event_time(properties).ok_or(DropReason::Malformed)?,
    };
    if at < context.now - TimeDelta::days(MAX_AGE_DAYS) {
        return Err(DropReason::TooOld);
    }
    if !rules::is_valid_time(at, context.now) {
        return Err(DropReason::Malformed);
    }
    let mut new = normalize::event(event, at, &project.id, context);
    new.properties.remove("token");
    if head.has_flag("ip") && !new.properties.contains_key("ip") {
        new.properties.insert("ip".to_owned(), json!(context.peer.to_string()));
    }
    Ok(new)
}

/// The response: `1` or `0`, or with `verbose=1` also the error. The status is always 200.
fn response(head: &Head, error: Option<&str>) -> Response {
    let status = u8::from(error.is_none());
    if head.has_flag("img") {
        return Response::new(200, "image/gif", PIXEL);
    }
    if let Some(function) = head.query_value("callback") {
        return Response::new(200, "application/javascript", format!("{function}({status});"));
    }
    if head.has_flag("verbose") {
        return Response::json(200, &json!({"status": status, "error": error}));
    }
    Response::new(200, "text/plain; charset=utf-8", status.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::config::{MixpanelConfig, PROJECT_TOKEN};
    use crate::mixpanel::TRACK;
    use crate::outcome::Flag;

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    fn track(query: &str, body: &Value) -> (String, Vec<Outcome>, Vec<NewEvent>) {
        let head = Head { path: TRACK.to_owned(), query: query.to_owned(), ..Head::default() };
        let request = Request { head, body: body.to_string().into_bytes() };
        let config = MixpanelConfig::default();
        let context =
            RequestContext { now: now(), peer: [127, 0, 0, 1].into(), config: &config, failing: None };
        let handled = handle(&request, &Batch::read(&request), context);
        (String::from_utf8_lossy(&handled.response.body).into_owned(), handled.outcomes, handled.stored)
    }

    fn event(changes: &Value) -> Value {
        let mut properties = json!({"token": PROJECT_TOKEN, "time": now().timestamp(), "distinct_id": "42", "$insert_id": "a"});
        properties.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({"event": "play", "properties": properties})
    }

    #[test]
    fn a_wrong_token_and_an_old_event_are_dropped_with_a_success_response() {
        let old = (now() - TimeDelta::days(5) - TimeDelta::seconds(1)).timestamp_millis();
        for (changes, reason) in [
            (json!({"token": "wrong"}), DropReason::UnknownToken),
            (json!({"time": old}), DropReason::TooOld),
            (json!({"time": now().timestamp() + 3601}), DropReason::Malformed),
            (json!({"distinct_id": "null"}), DropReason::DistinctIdForbidden),
        ] {
            let (text, outcomes, stored) = track("", &json!([event(&changes)]));
            assert_eq!((text.as_str(), stored.len()), ("1", 0));
            assert_eq!(outcomes, [Outcome::dropped(reason)]);
        }
    }

    #[test]
    fn one_well_formed_event_is_enough_for_success() {
        let valid = event(&json!({}));
        let (text, outcomes, stored) = track("", &json!([{"event": ""}, valid]));
        assert_eq!((text.as_str(), stored.len()), ("1", 1));
        assert_eq!(outcomes[0], Outcome::dropped(DropReason::Malformed));
        assert_eq!(track("", &json!([{"event": "play"}])).0, "0");
        assert_eq!(track("", &json!([])).0, "0");
    }

    #[test]
    fn the_response_has_the_requested_format() {
        let body = json!([event(&json!({}))]);
        assert_eq!(track("verbose=1&ip=0", &body).0, r#"{"error":null,"status":1}"#);
        assert_eq!(
            track("verbose=1", &json!([{}])).0,
            r#"{"error":"some data points in the request failed validation","status":0}"#
        );
        assert_eq!(track("callback=done", &body).0, "done(1);");
        assert!(track("img=1", &body).0.starts_with("GIF89a"));
    }

    #[test]
    fn missing_properties_are_generated() {
        let properties = json!({"token": PROJECT_TOKEN});
        let (_, _, stored) = track("ip=1", &json!({"event": "play", "properties": properties}));
        assert_eq!(stored[0].flags, [Flag::DistinctIdFromAddress, Flag::InsertIdMade]);
        assert_eq!(stored[0].time_millis, now().timestamp_millis());
        assert_eq!(stored[0].properties["ip"], "127.0.0.1");
    }
}
