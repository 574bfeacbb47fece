//! `/import`: what servers send, checked event by event and answered so.

use serde_json::{Value, json};

use super::{Batch, Circumstances, Judged, auth, event_uids, normal, rules};
use crate::config::{EmptyImport, InsertIdKey};
use crate::http::{Request, Response, phrase};
use crate::verdict::{Reason, Verdict};

/// A record that was not imported, as the answer tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FailedRecord {
    pub index: usize,
    pub insert_id: Value,
    pub field: String,
    pub message: String,
}

/// Answers a request to `/import`.
pub(super) fn judge(request: &Request, batch: &Batch, around: Circumstances<'_>) -> Judged {
    let refused = |status, error: String| {
        let refusal = Verdict::Refused { field: String::new(), message: error.clone() };
        Judged::all(refusal_answer(status, &error), batch, &refusal)
    };
    let head = &request.head;
    if head.method != "POST" {
        return refused(405, "method not allowed".to_owned());
    }
    let Some(project) = auth::project(head, around.config) else {
        return refused(401, "Invalid credentials".to_owned());
    };
    let (size_limit, event_limit) = (around.config.body_limit, around.config.event_limit);
    if batch.size > size_limit {
        return refused(413, format!("request exceeds max limit of {size_limit} bytes"));
    }
    if !batch.is_json() {
        // Assumption: the wording is documented nowhere.
        return refused(400, "invalid JSON in the request's body".to_owned());
    }
    if batch.events().len() > event_limit {
        let error = format!("request exceeds max limit of {event_limit} events");
        return refused(around.config.too_many_events_status, error);
    }
    if batch.events().is_empty() && around.config.empty_import == EmptyImport::Refused {
        return refused(400, "data, missing or empty".to_owned());
    }
    if head.query_value("strict").as_deref() == Some("0") {
        return unchecked(batch, &project.id, around);
    }
    let mut stored = Vec::new();
    let mut failed = Vec::new();
    let mut verdicts = Vec::with_capacity(batch.events().len());
    for (index, event) in batch.events().iter().enumerate() {
        let checked = poisoned(event, around).map_or_else(|| rules::check(event, around.now), Err);
        let verdict = match checked {
            Ok(()) => take(event, &project.id, around, &mut stored),
            Err(rules::Fault { field, message }) => {
                let insert_id = event["properties"]["$insert_id"].clone();
                failed.push(FailedRecord {
                    index,
                    insert_id,
                    field: field.clone(),
                    message: message.clone(),
                });
                Verdict::Refused { field, message }
            }
        };
        verdicts.push(verdict);
    }
    let imported = batch.events().len() - failed.len();
    let response = if failed.is_empty() {
        imported_answer(imported)
    } else {
        partial_answer(imported, &failed, around.config.insert_id_key)
    };
    Judged { response, verdicts, stored }
}

/// With `strict=0` the answer only says whether the body could be read. Source: Mixpanel's Java library.
fn unchecked(batch: &Batch, project: &str, around: Circumstances<'_>) -> Judged {
    let mut stored = Vec::new();
    let verdicts = batch.events().iter().map(|event| match rules::check(event, around.now) {
        Ok(()) => take(event, project, around, &mut stored),
        Err(fault) => Verdict::Dropped { reason: Reason::Malformed, detail: Some(fault.field) },
    });
    let verdicts = verdicts.collect();
    let text = if stored.is_empty() { "0" } else { "1" };
    Judged { response: Response::of(200, "application/json", text), verdicts, stored }
}

/// Stores an event that passed, unless it carries `$ignore`.
fn take(
    event: &Value,
    project: &str,
    around: Circumstances<'_>,
    stored: &mut Vec<super::NewEvent>,
) -> Verdict {
    let properties = &event["properties"];
    if properties.get("$ignore").is_some() {
        return Verdict::dropped(Reason::Ignored);
    }
    let at = properties.as_object().and_then(rules::time).unwrap_or(around.now);
    let new = normal::event(event, at, project, around);
    let verdict = Verdict::Stored { at: at.min(around.now), flags: new.flags.clone() };
    stored.push(new);
    verdict
}

fn poisoned(event: &Value, around: Circumstances<'_>) -> Option<rules::Fault> {
    let poison = around.poison?;
    let strikes =
        poison.uids.is_empty() || event_uids(event).any(|uid| poison.uids.iter().any(|one| one == uid));
    strikes.then(|| rules::Fault { field: poison.field.to_owned(), message: poison.message.to_owned() })
}

/// All is imported.
pub(crate) fn imported_answer(imported: usize) -> Response {
    Response::json(200, &json!({"code": 200, "num_records_imported": imported, "status": "OK"}))
}

/// Some or all records failed.
pub(crate) fn partial_answer(imported: usize, failed: &[FailedRecord], key: InsertIdKey) -> Response {
    let records: Vec<Value> = failed
        .iter()
        .map(|FailedRecord { index, insert_id, field, message }| {
            json!({"index": index, key.name(): insert_id, "field": field, "message": message})
        })
        .collect();
    let answer = json!({
        "code": 400,
        "error": "some data points in the request failed validation",
        "status": "Bad Request",
        "num_records_imported": imported,
        "failed_records": records,
    });
    Response::json(400, &answer)
}

/// Nothing is imported.
pub(crate) fn refusal_answer(status: u16, error: &str) -> Response {
    Response::json(status, &json!({"code": status, "error": error, "status": phrase(status)}))
}
