//! Responses of `/import` that contradict themselves or the request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::InsertIdKey;
use crate::http::Response;
use crate::mixpanel::import::{FailedRecord, partial_response, success_response};

/// The contradiction in a response. By default the response is a 400 with the list and counts of a request in
/// which only the first event failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportLie {
    /// All events are listed as failed.
    AllFailed,
    /// The list is empty, and the count is zero.
    EmptyList,
    /// The list and the count are missing.
    NoList,
    /// The count is one more than the number of events that are not listed.
    WrongCount,
    /// The index is greater than that of the last event.
    IndexOutOfRange,
    /// The index is listed twice, and the count agrees with that.
    DuplicateIndex,
    /// The id has the other one of its two names.
    OtherKey,
    /// The JSON is truncated, but the announced length is right.
    TruncatedJson,
    /// A 200 with a count that is one less than the number of events.
    FewerImported,
}

impl ImportLie {
    /// The response to a request with these events.
    pub(crate) fn response(self, events: &[Value], key: InsertIdKey) -> Response {
        let event_count = events.len();
        let record = |index: usize| FailedRecord {
            index,
            insert_id: events
                .get(index)
                .map_or(Value::Null, |event| event["properties"]["$insert_id"].clone()),
            field: "properties.time".to_owned(),
            message: "'properties.time' is invalid: must be specified as seconds since epoch".to_owned(),
        };
        let others = event_count.saturating_sub(1);
        match self {
            Self::AllFailed => partial_response(0, &(0..event_count).map(record).collect::<Vec<_>>(), key),
            Self::EmptyList => partial_response(0, &[], key),
            Self::NoList => {
                let error = "some data points in the request failed validation";
                Response::json(400, &json!({"code": 400, "error": error, "status": "Bad Request"}))
            }
            Self::WrongCount => partial_response(event_count, &[record(0)], key),
            Self::IndexOutOfRange => partial_response(others, &[record(event_count)], key),
            Self::DuplicateIndex => {
                partial_response(event_count.saturating_sub(2), &[record(0), record(0)], key)
            }
            Self::OtherKey => partial_response(others, &[record(0)], key.other()),
            Self::TruncatedJson => {
                let mut response = partial_response(others, &[record(0)], key);
                response.body.truncate(response.body.len() / 2);
                response
            }
            Self::FewerImported => success_response(others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_matches_its_name() {
        let events = [json!({"properties": {"$insert_id": "a"}}), json!({"properties": {"$insert_id": "b"}})];
        let respond = |lie: ImportLie| {
            let response = lie.response(&events, InsertIdKey::InsertId);
            (response.status, serde_json::from_slice::<Value>(&response.body).unwrap_or_default())
        };
        let summary = |lie| {
            let (status, body) = respond(lie);
            let failed = body["failed_records"].as_array().cloned();
            let indexes = failed
                .map(|list| list.iter().filter_map(|record| record["index"].as_u64()).collect::<Vec<_>>());
            (status, body["num_records_imported"].as_u64(), indexes)
        };
        assert_eq!(summary(ImportLie::AllFailed), (400, Some(0), Some(vec![0, 1])));
        assert_eq!(summary(ImportLie::EmptyList), (400, Some(0), Some(vec![])));
        assert_eq!(summary(ImportLie::NoList), (400, None, None));
        assert_eq!(summary(ImportLie::WrongCount), (400, Some(2), Some(vec![0])));
        assert_eq!(summary(ImportLie::IndexOutOfRange), (400, Some(1), Some(vec![2])));
        assert_eq!(summary(ImportLie::DuplicateIndex), (400, Some(0), Some(vec![0, 0])));
        assert_eq!(respond(ImportLie::OtherKey).1["failed_records"][0]["$insert_id"], "a");
        assert_eq!(respond(ImportLie::TruncatedJson), (400, Value::Null));
        assert_eq!(summary(ImportLie::FewerImported), (200, Some(1), None));
    }
}
