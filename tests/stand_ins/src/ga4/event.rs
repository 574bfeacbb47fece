//! One event: whether it is stored, and under which time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::body::{Body, field, whole_number};
use super::rules::{self, NameFault, PARAMS, PAST_HOURS, StreamKind};
use super::{StoredGa4, event_uid, param};
use crate::verdict::{Flag, Reason, Verdict};

/// What all events of a request share.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub stream: &'a str,
    pub kind: StreamKind,
    pub client_id: &'a str,
    pub body: &'a Body,
    pub now: DateTime<Utc>,
}

/// Takes an event, or says why not.
pub(super) fn take(event: &Value, sender: &Sender<'_>) -> Result<StoredGa4, Verdict> {
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    if let Some(fault) = rules::event_name(name, sender.kind) {
        return Err(dropped(name_reason(fault), name));
    }
    let none = Map::new();
    let sent = match event.get("params") {
        None => &none,
        Some(Value::Object(sent)) => sent,
        Some(_) => return Err(dropped(Reason::ParamNotScalar, "params")),
    };
    let kept = param::params(sent).map_err(|name| dropped(Reason::ParamNotScalar, name))?;
    let (time, time_flag) = effective_time(event, sender);
    let bad_properties = param::bad_user_properties(sender.body.field("user_properties"));

    if sender.body.enforces_recommendations() {
        // Assumption: enforcing refuses the event for whatever is overlooked otherwise.
        if time_flag == Some(Flag::Shifted) {
            return Err(dropped(Reason::TooOld, "timestamp_micros"));
        }
        let client_id_is_odd =
            sender.kind == StreamKind::Web && !rules::is_recommended_client_id(sender.client_id);
        let overlooked = kept.ignored.first().or(bad_properties.first()).map(String::as_str);
        if let Some(name) = overlooked.or(client_id_is_odd.then_some("client_id")) {
            return Err(dropped(Reason::NotAsRecommended, name));
        }
    }
    let flags = [
        time_flag,
        (!param::has_session(&kept.params)).then_some(Flag::NoSession),
        rules::is_enhanced_measurement(name).then_some(Flag::EnhancedMeasurementName),
        (!kept.ignored.is_empty()).then_some(Flag::ParamsIgnored),
        (!bad_properties.is_empty()).then_some(Flag::UserPropertiesIgnored),
    ];
    debug_assert!(kept.params.len() <= PARAMS);
    Ok(StoredGa4 {
        stream: sender.stream.to_owned(),
        client_id: sender.client_id.to_owned(),
        user_id: sender.body.text("user_id").map(str::to_owned),
        name: name.to_owned(),
        event_uid: event_uid(event),
        timestamp_micros: time.timestamp_micros(),
        received_at: sender.now,
        flags: flags.into_iter().flatten().collect(),
        params: kept.params,
        ignored_params: kept.ignored,
    })
}

/// The time under which an event is kept: its own, else the request's, else that of its arrival. Source: the reference,
/// "timestamp_micros", and "Send events", which has the first beside `name` and not among the parameters. One that lies
/// further back than 72 hours is moved there without a word.
fn effective_time(event: &Value, sender: &Sender<'_>) -> (DateTime<Utc>, Option<Flag>) {
    let own = event.as_object().and_then(|fields| field(fields, "timestamp_micros"));
    let told = own.or_else(|| sender.body.field("timestamp_micros")).and_then(whole_number);
    let time = told.and_then(DateTime::from_timestamp_micros).unwrap_or(sender.now);
    let earliest = sender.now - TimeDelta::hours(PAST_HOURS);
    if time < earliest {
        (earliest, Some(Flag::Shifted))
    } else {
        (time, (time > sender.now).then_some(Flag::Future))
    }
}

const fn name_reason(fault: NameFault) -> Reason {
    match fault {
        NameFault::Empty => Reason::NameMissing,
        NameFault::TooLong => Reason::NameTooLong,
        NameFault::Reserved => Reason::NameReserved,
        NameFault::FirstNotALetter | NameFault::OddCharacter => Reason::NameInvalid,
    }
}

fn dropped(reason: Reason, detail: &str) -> Verdict {
    Verdict::Dropped { reason, detail: (!detail.is_empty()).then(|| detail.to_owned()) }
}
