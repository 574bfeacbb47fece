//! `/mp/collect`: decides which events of a request are stored.

use chrono::{DateTime, Utc};

use super::event::{self, RequestContext};
use super::rules::{MAX_EVENTS, StreamKind};
use super::{Body, StoredGa4};
use crate::config::Ga4Config;
use crate::http::{Head, Request};
use crate::outcome::{DropReason, Outcome};

/// The outcome of each event, and the events to store.
pub(crate) fn collect(
    request: &Request,
    body: &Body,
    now: DateTime<Utc>,
    config: &Ga4Config,
) -> (Vec<Outcome>, Vec<StoredGa4>) {
    let events = body.events();
    let (stream, kind) = stream(&request.head);
    let client_id = body.text(match kind {
        StreamKind::Web => "client_id",
        StreamKind::App => "app_instance_id",
    });
    let reason = request_drop_reason(request, body, &stream, config)
        .or_else(|| client_id.is_none().then_some(DropReason::NoClientId));
    let (None, Some(client_id)) = (reason, client_id) else {
        return (vec![Outcome::dropped(reason.unwrap_or(DropReason::NoClientId)); events.len()], Vec::new());
    };
    let context = RequestContext { stream: &stream, kind, client_id, body, now };
    let mut stored = Vec::with_capacity(events.len());
    let outcomes = events.iter().map(|event| match event::accept(event, &context) {
        Ok(accepted) => {
            let at = DateTime::from_timestamp_micros(accepted.timestamp_micros).unwrap_or(now);
            let outcome = Outcome::Stored { at, flags: accepted.flags.clone() };
            stored.push(accepted);
            outcome
        }
        Err(outcome) => outcome,
    });
    (outcomes.collect(), stored)
}

/// The reason for which a whole request is dropped.
fn request_drop_reason(
    request: &Request,
    body: &Body,
    stream: &str,
    config: &Ga4Config,
) -> Option<DropReason> {
    let secret = request.head.query_value("api_secret").unwrap_or_default();
    let is_known = config.streams.iter().any(|known| known.id == stream && known.api_secret == secret);
    if !is_known {
        Some(DropReason::UnknownStream)
    } else if request.body.len() >= config.body_limit {
        Some(DropReason::TooLarge)
    } else if !body.is_json() {
        Some(DropReason::BadJson)
    } else if body.events().is_empty() {
        Some(DropReason::NoEvents)
    } else {
        (body.events().len() > MAX_EVENTS).then_some(DropReason::TooManyEvents)
    }
}

/// The id and kind of the stream in the query.
fn stream(head: &Head) -> (String, StreamKind) {
    match (head.query_value("measurement_id"), head.query_value("firebase_app_id")) {
        (None, Some(app)) => (app, StreamKind::App),
        (id, _) => (id.unwrap_or_default(), StreamKind::Web),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{API_SECRET, MEASUREMENT_ID};
    use crate::outcome::Flag;

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    fn collect_with(query: &str, body: &Value) -> (Vec<Outcome>, Vec<StoredGa4>) {
        let head = Head { method: "POST".to_owned(), query: query.to_owned(), ..Head::default() };
        let request = Request { head, body: body.to_string().into_bytes() };
        collect(&request, &Body::read(&request.body), now(), &Ga4Config::default())
    }

    fn collect_valid(body: &Value) -> (Vec<Outcome>, Vec<StoredGa4>) {
        collect_with(&format!("measurement_id={MEASUREMENT_ID}&api_secret={API_SECRET}"), body)
    }

    fn event() -> Value {
        json!({"name": "player_play", "params": {"session_id": 1, "engagement_time_msec": 1, "event_uid": "vpe-1"}})
    }

    fn reason(body: &Value) -> DropReason {
        match collect_valid(body).0.as_slice() {
            [Outcome::Dropped { reason, .. }, ..] => *reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_without_a_timestamp_is_stored_with_its_arrival_time() {
        let (outcomes, stored) =
            collect_valid(&json!({"client_id": "42.1", "user_id": "42", "events": [event()]}));
        assert_eq!(outcomes, [Outcome::Stored { at: now(), flags: vec![] }]);
        assert_eq!(stored[0].event_uid.as_deref(), Some("vpe-1"));
        assert_eq!((stored[0].client_id.as_str(), stored[0].user_id.as_deref()), ("42.1", Some("42")));
    }

    #[test]
    fn the_timestamp_of_an_event_overrides_that_of_the_request() {
        let micros = |hours| (now() - TimeDelta::hours(hours)).timestamp_micros();
        let mut own = event();
        own["timestamp_micros"] = json!(micros(1));
        let body =
            json!({"client_id": "4.1", "timestamp_micros": micros(2).to_string(), "events": [own, event()]});
        let times: Vec<i64> = collect_valid(&body).1.iter().map(|stored| stored.timestamp_micros).collect();
        assert_eq!(times, [micros(1), micros(2)]);
    }

    #[test]
    fn the_time_of_an_old_event_is_moved_unless_rules_are_enforced() {
        let mut old = event();
        old["timestamp_micros"] = json!((now() - TimeDelta::hours(73)).timestamp_micros());
        let mut body = json!({"client_id": "42.1", "events": [old]});
        let at = now() - TimeDelta::hours(72);
        assert_eq!(collect_valid(&body).0, [Outcome::Stored { at, flags: vec![Flag::Shifted] }]);
        body["validation_behavior"] = json!("ENFORCE_RECOMMENDATIONS");
        assert_eq!(reason(&body), DropReason::TooOld);
    }

    #[test]
    fn an_event_without_a_session_or_with_an_enhanced_name_is_flagged() {
        let (_, stored) = collect_valid(&json!({"client_id": "4.1", "events": [{"name": "video_start"}]}));
        assert_eq!(stored[0].flags, [Flag::NoSession, Flag::EnhancedMeasurementName]);
    }

    #[test]
    fn each_reason_to_drop_an_event_is_reported() {
        let body = |events: Value| json!({"client_id": "42.1", "events": events});
        let named = |name: &str| body(json!([{"name": name}]));
        assert_eq!(reason(&body(json!([{"params": {}}]))), DropReason::NameMissing);
        assert_eq!(reason(&named("banner-click")), DropReason::NameInvalid);
        assert_eq!(reason(&named(&"x".repeat(41))), DropReason::NameTooLong);
        assert_eq!(reason(&named("error")), DropReason::NameReserved);
        assert_eq!(reason(&body(json!([{"name": "a", "params": {"meta": {}}}]))), DropReason::ParamNotScalar);
        assert_eq!(reason(&json!({"events": [event()]})), DropReason::NoClientId);
        assert_eq!(reason(&body(json!(vec![event(); 26]))), DropReason::TooManyEvents);
        let padded = json!({"client_id": "42.1", "events": [event()], "padding": "x".repeat(130_000)});
        assert_eq!(reason(&padded), DropReason::TooLarge);
        let odd = json!({"client_id": "guest", "validation_behavior": "ENFORCE_RECOMMENDATIONS", "events": [event()]});
        assert_eq!(reason(&odd), DropReason::NotAsRecommended);
    }

    #[test]
    fn a_stream_requires_its_secret_and_an_app_requires_its_instance_id() {
        let body = json!({"client_id": "42.1", "events": [event()]});
        let wrong = format!("measurement_id={MEASUREMENT_ID}&api_secret={}", API_SECRET.to_uppercase());
        assert_eq!(collect_with(&wrong, &body).0, [Outcome::dropped(DropReason::UnknownStream)]);
        let app = format!("firebase_app_id={MEASUREMENT_ID}&api_secret={API_SECRET}");
        assert_eq!(collect_with(&app, &body).0, [Outcome::dropped(DropReason::NoClientId)]);
    }
}
