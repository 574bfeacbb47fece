//! `/import`: validates each event and reports its outcome.

use serde_json::{Value, json};

use super::{Batch, Handled, RequestContext, auth, event_uids, normalize, rules};
use crate::config::{EmptyImport, InsertIdKey};
use crate::http::{Request, Response, reason_phrase};
use crate::outcome::{DropReason, Outcome};

/// A record that was not imported, as the response reports it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FailedRecord {
    pub index: usize,
    pub insert_id: Value,
    pub field: String,
    pub message: String,
}

/// Handles a request to `/import`.
pub(super) fn handle(request: &Request, batch: &Batch, context: RequestContext<'_>) -> Handled {
    let refused = |status, error: String| {
        let outcome = Outcome::Refused { field: String::new(), message: error.clone() };
        Handled::all(error_response(status, &error), batch, &outcome)
    };
    let head = &request.head;
    if head.method != "POST" {
        return refused(405, "method not allowed".to_owned());
    }
    let Some(project) = auth::project(head, context.config) else {
        return refused(401, "Invalid credentials".to_owned());
    };
    let (size_limit, event_limit) = (context.config.body_limit, context.config.event_limit);
    if batch.size > size_limit {
        return refused(413, format!("request exceeds max limit of {size_limit} bytes"));
    }
    if !batch.is_json() {
        // Assumption: the message is not documented.
        return refused(400, "invalid JSON in the request's body".to_owned());
    }
    if batch.events().len() > event_limit {
        let error = format!("request exceeds max limit of {event_limit} events");
        return refused(context.config.too_many_events_status, error);
    }
    if batch.events().is_empty() && context.config.empty_import == EmptyImport::Refused {
        return refused(400, "data, missing or empty".to_owned());
    }
    if head.query_value("strict").as_deref() == Some("0") {
        return import_without_validation(batch, &project.id, context);
    }
    let mut stored = Vec::new();
    let mut failed = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.events().len());
    for (index, event) in batch.events().iter().enumerate() {
        let validated =
            injected_error(event, context).map_or_else(|| rules::validate(event, context.now), Err);
        let outcome = match validated {
            Ok(()) => store(event, &project.id, context, &mut stored),
            Err(rules::ValidationError { field, message }) => {
                let insert_id = event["properties"]["$insert_id"].clone();
                failed.push(FailedRecord {
                    index,
                    insert_id,
                    field: field.clone(),
                    message: message.clone(),
                });
                Outcome::Refused { field, message }
            }
        };
        outcomes.push(outcome);
    }
    let imported = batch.events().len() - failed.len();
    let response = if failed.is_empty() {
        success_response(imported)
    } else {
        partial_response(imported, &failed, context.config.insert_id_key)
    };
    Handled { response, outcomes, stored }
}

/// With `strict=0` the response only says whether any event was imported. Source: Mixpanel's Java library.
fn import_without_validation(batch: &Batch, project: &str, context: RequestContext<'_>) -> Handled {
    let mut stored = Vec::new();
    let outcomes = batch.events().iter().map(|event| match rules::validate(event, context.now) {
        Ok(()) => store(event, project, context, &mut stored),
        Err(error) => Outcome::Dropped { reason: DropReason::Malformed, detail: Some(error.field) },
    });
    let outcomes = outcomes.collect();
    let text = if stored.is_empty() { "0" } else { "1" };
    Handled { response: Response::new(200, "application/json", text), outcomes, stored }
}

/// Stores a valid event, unless it has the property `$ignore`.
fn store(
    event: &Value,
    project: &str,
    context: RequestContext<'_>,
    stored: &mut Vec<super::NewEvent>,
) -> Outcome {
    let properties = &event["properties"];
    if properties.get("$ignore").is_some() {
        return Outcome::dropped(DropReason::Ignored);
    }
    let at = properties.as_object().and_then(rules::event_time).unwrap_or(context.now);
    let new = normalize::event(event, at, project, context);
    let outcome = Outcome::Stored { at: at.min(context.now), flags: new.flags.clone() };
    stored.push(new);
    outcome
}

fn injected_error(event: &Value, context: RequestContext<'_>) -> Option<rules::ValidationError> {
    let failing = context.failing?;
    let applies =
        failing.uids.is_empty() || event_uids(event).any(|uid| failing.uids.iter().any(|other| other == uid));
    applies.then(|| rules::ValidationError {
        field: failing.field.to_owned(),
        message: failing.message.to_owned(),
    })
}

/// The response if all events are imported.
pub(crate) fn success_response(imported: usize) -> Response {
    Response::json(200, &json!({"code": 200, "num_records_imported": imported, "status": "OK"}))
}

/// The response if some or all records failed.
pub(crate) fn partial_response(imported: usize, failed: &[FailedRecord], key: InsertIdKey) -> Response {
    let records: Vec<Value> = failed
        .iter()
        .map(|FailedRecord { index, insert_id, field, message }| {
            json!({"index": index, key.name(): insert_id, "field": field, "message": message})
        })
        .collect();
    let body = json!({
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
        "num_records_imported": imported,
        "failed_records": records,
    });
    Response::json(400, &body)
}

/// The response if the whole request is refused.
pub(crate) fn error_response(status: u16, error: &str) -> Response {
    Response::json(status, &json!({"code": status, "error": error, "status": reason_phrase(status)}))
}
