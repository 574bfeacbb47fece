//! Decides whether an event is stored, and with which time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::body::{Body, field, integer};
use super::rules::{self, MAX_AGE_HOURS, MAX_PARAMS, NameError, StreamKind};
use super::{StoredGa4, event_uid, param};
use crate::outcome::{DropReason, Flag, Outcome};

/// The data that all events of a request share.
#[derive(Debug)]
pub(super) struct RequestContext<'a> {
    pub stream: &'a str,
    pub kind: StreamKind,
    pub client_id: &'a str,
    pub body: &'a Body,
    pub now: DateTime<Utc>,
}

/// Accepts an event, or returns the outcome of a dropped one.
pub(super) fn accept(event: &Value, context: &RequestContext<'_>) -> Result<StoredGa4, Outcome> {
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    if let Some(error) = rules::event_name_error(name, context.kind) {
        return Err(dropped(name_reason(error), name));
    }
    let empty = Map::new();
    let params = match event.get("params") {
        None => &empty,
        Some(Value::Object(params)) => params,
        Some(_) => return Err(dropped(DropReason::ParamNotScalar, "params")),
    };
    let filtered = param::filter_params(params).map_err(|name| dropped(DropReason::ParamNotScalar, name))?;
    let (time, time_flag) = effective_time(event, context);
    let invalid_properties = param::invalid_user_properties(context.body.field("user_properties"));

    if context.body.enforces_recommendations() {
        // Assumption: enforcing recommendations drops an event for everything that GA4 otherwise ignores.
        if time_flag == Some(Flag::Shifted) {
            return Err(dropped(DropReason::TooOld, "timestamp_micros"));
        }
        let is_client_id_invalid =
            context.kind == StreamKind::Web && !rules::is_recommended_client_id(context.client_id);
        let ignored = filtered.ignored.first().or(invalid_properties.first()).map(String::as_str);
        if let Some(name) = ignored.or(is_client_id_invalid.then_some("client_id")) {
            return Err(dropped(DropReason::NotAsRecommended, name));
        }
    }
    let flags = [
        time_flag,
        (!param::has_session(&filtered.params)).then_some(Flag::NoSession),
        rules::is_enhanced_measurement(name).then_some(Flag::EnhancedMeasurementName),
        (!filtered.ignored.is_empty()).then_some(Flag::ParamsIgnored),
        (!invalid_properties.is_empty()).then_some(Flag::UserPropertiesIgnored),
    ];
    debug_assert!(filtered.params.len() <= MAX_PARAMS);
    Ok(StoredGa4 {
        stream: context.stream.to_owned(),
        client_id: context.client_id.to_owned(),
        user_id: context.body.text("user_id").map(str::to_owned),
        name: name.to_owned(),
        event_uid: event_uid(event),
        timestamp_micros: time.timestamp_micros(),
        received_at: context.now,
        flags: flags.into_iter().flatten().collect(),
        params: filtered.params,
        ignored_params: filtered.ignored,
    })
}

/// The time of the stored event: the timestamp of the event, or else that of the request, or else the arrival
/// time. A time more than 72 hours ago is silently moved to 72 hours ago. Source: "timestamp_micros" in the
/// reference, and "Send events", where an event's timestamp is next to `name`, not among the parameters.
fn effective_time(event: &Value, context: &RequestContext<'_>) -> (DateTime<Utc>, Option<Flag>) {
    let own = event.as_object().and_then(|fields| field(fields, "timestamp_micros"));
    let micros = own.or_else(|| context.body.field("timestamp_micros")).and_then(integer);
    let time = micros.and_then(DateTime::from_timestamp_micros).unwrap_or(context.now);
    let earliest = context.now - TimeDelta::hours(MAX_AGE_HOURS);
    if time < earliest {
        (earliest, Some(Flag::Shifted))
    } else {
        (time, (time > context.now).then_some(Flag::Future))
    }
}

const fn name_reason(error: NameError) -> DropReason {
    match error {
        NameError::Empty => DropReason::NameMissing,
        NameError::TooLong => DropReason::NameTooLong,
        NameError::Reserved => DropReason::NameReserved,
        NameError::BadFirstCharacter | NameError::BadCharacter => DropReason::NameInvalid,
    }
}

fn dropped(reason: DropReason, detail: &str) -> Outcome {
    Outcome::Dropped { reason, detail: (!detail.is_empty()).then(|| detail.to_owned()) }
}
