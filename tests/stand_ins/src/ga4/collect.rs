//! `/mp/collect`: which events of a request are stored.

use chrono::{DateTime, Utc};

use super::event::{self, Sender};
use super::rules::{EVENTS, StreamKind};
use super::{Body, StoredGa4};
use crate::config::Ga4Config;
use crate::http::{Head, Request};
use crate::verdict::{Reason, Verdict};

/// The verdict on each event, and those that are stored.
pub(crate) fn collect(
    request: &Request,
    body: &Body,
    now: DateTime<Utc>,
    config: &Ga4Config,
) -> (Vec<Verdict>, Vec<StoredGa4>) {
    let events = body.events();
    let (stream, kind) = stream(&request.head);
    let client_id = body.text(match kind {
        StreamKind::Web => "client_id",
        StreamKind::App => "app_instance_id",
    });
    let for_all = whole_request(request, body, &stream, config)
        .or_else(|| client_id.is_none().then_some(Reason::NoClientId));
    let (None, Some(client_id)) = (for_all, client_id) else {
        return (vec![Verdict::dropped(for_all.unwrap_or(Reason::NoClientId)); events.len()], Vec::new());
    };
    let sender = Sender { stream: &stream, kind, client_id, body, now };
    let mut stored = Vec::with_capacity(events.len());
    let verdicts = events.iter().map(|event| match event::take(event, &sender) {
        Ok(taken) => {
            let at = DateTime::from_timestamp_micros(taken.timestamp_micros).unwrap_or(now);
            let verdict = Verdict::Stored { at, flags: taken.flags.clone() };
            stored.push(taken);
            verdict
        }
        Err(verdict) => verdict,
    });
    (verdicts.collect(), stored)
}

/// Why a request is dropped as a whole.
fn whole_request(request: &Request, body: &Body, stream: &str, config: &Ga4Config) -> Option<Reason> {
    let secret = request.head.query_value("api_secret").unwrap_or_default();
    let is_known = config.streams.iter().any(|known| known.id == stream && known.api_secret == secret);
    if !is_known {
        Some(Reason::UnknownStream)
    } else if request.body.len() >= config.body_limit {
        Some(Reason::TooLarge)
    } else if !body.is_json() {
        Some(Reason::BadJson)
    } else if body.events().is_empty() {
        Some(Reason::NoEvents)
    } else {
        (body.events().len() > EVENTS).then_some(Reason::TooManyEvents)
    }
}

/// The stream that the query names, and of which kind it is.
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
    use crate::verdict::Flag;

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    fn collected(query: &str, body: &Value) -> (Vec<Verdict>, Vec<StoredGa4>) {
        let head = Head { method: "POST".to_owned(), query: query.to_owned(), ..Head::default() };
        let request = Request { head, body: body.to_string().into_bytes() };
        collect(&request, &Body::read(&request.body), now(), &Ga4Config::default())
    }

    fn valid(body: &Value) -> (Vec<Verdict>, Vec<StoredGa4>) {
        collected(&format!("measurement_id={MEASUREMENT_ID}&api_secret={API_SECRET}"), body)
    }

    fn event() -> Value {
        json!({"name": "player_play", "params": {"session_id": 1, "engagement_time_msec": 1, "event_uid": "vpe-1"}})
    }

    fn reason(body: &Value) -> Reason {
        match valid(body).0.as_slice() {
            [Verdict::Dropped { reason, .. }, ..] => *reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_good_event_is_stored_at_its_arrival_where_no_time_is_told() {
        let (verdicts, stored) = valid(&json!({"client_id": "42.1", "user_id": "42", "events": [event()]}));
        assert_eq!(verdicts, [Verdict::Stored { at: now(), flags: vec![] }]);
        assert_eq!(stored[0].event_uid.as_deref(), Some("vpe-1"));
        assert_eq!((stored[0].client_id.as_str(), stored[0].user_id.as_deref()), ("42.1", Some("42")));
    }

    #[test]
    fn the_events_own_time_goes_before_the_requests() {
        let micros = |hours| (now() - TimeDelta::hours(hours)).timestamp_micros();
        let mut own = event();
        own["timestamp_micros"] = json!(micros(1));
        let body =
            json!({"client_id": "4.1", "timestamp_micros": micros(2).to_string(), "events": [own, event()]});
        let times: Vec<i64> = valid(&body).1.iter().map(|stored| stored.timestamp_micros).collect();
        assert_eq!(times, [micros(1), micros(2)]);
    }

    #[test]
    fn what_is_older_than_72_hours_is_moved_or_where_rules_are_enforced_dropped() {
        let mut old = event();
        old["timestamp_micros"] = json!((now() - TimeDelta::hours(73)).timestamp_micros());
        let mut body = json!({"client_id": "42.1", "events": [old]});
        let at = now() - TimeDelta::hours(72);
        assert_eq!(valid(&body).0, [Verdict::Stored { at, flags: vec![Flag::Shifted] }]);
        body["validation_behavior"] = json!("ENFORCE_RECOMMENDATIONS");
        assert_eq!(reason(&body), Reason::TooOld);
    }

    #[test]
    fn an_event_without_a_session_or_with_a_busy_name_is_flagged() {
        let (_, stored) = valid(&json!({"client_id": "4.1", "events": [{"name": "video_start"}]}));
        assert_eq!(stored[0].flags, [Flag::NoSession, Flag::EnhancedMeasurementName]);
    }

    #[test]
    fn each_reason_to_drop_an_event_is_told_apart() {
        let of = |events: Value| json!({"client_id": "42.1", "events": events});
        let named = |name: &str| of(json!([{"name": name}]));
        assert_eq!(reason(&of(json!([{"params": {}}]))), Reason::NameMissing);
        assert_eq!(reason(&named("banner-click")), Reason::NameInvalid);
        assert_eq!(reason(&named(&"x".repeat(41))), Reason::NameTooLong);
        assert_eq!(reason(&named("error")), Reason::NameReserved);
        assert_eq!(reason(&of(json!([{"name": "a", "params": {"meta": {}}}]))), Reason::ParamNotScalar);
        assert_eq!(reason(&json!({"events": [event()]})), Reason::NoClientId);
        assert_eq!(reason(&of(json!(vec![event(); 26]))), Reason::TooManyEvents);
        let padded = json!({"client_id": "42.1", "events": [event()], "padding": "x".repeat(130_000)});
        assert_eq!(reason(&padded), Reason::TooLarge);
        let odd = json!({"client_id": "guest", "validation_behavior": "ENFORCE_RECOMMENDATIONS", "events": [event()]});
        assert_eq!(reason(&odd), Reason::NotAsRecommended);
    }

    #[test]
    fn a_stream_needs_its_own_secret_and_an_app_its_own_client() {
        let body = json!({"client_id": "42.1", "events": [event()]});
        let wrong = format!("measurement_id={MEASUREMENT_ID}&api_secret={}", API_SECRET.to_uppercase());
        assert_eq!(collected(&wrong, &body).0, [Verdict::dropped(Reason::UnknownStream)]);
        let app = format!("firebase_app_id={MEASUREMENT_ID}&api_secret={API_SECRET}");
        assert_eq!(collected(&app, &body).0, [Verdict::dropped(Reason::NoClientId)]);
    }
}
