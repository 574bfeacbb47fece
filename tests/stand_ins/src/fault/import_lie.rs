//! Answers of `/import` that do not agree with themselves or with the request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::InsertIdKey;
use crate::http::Response;
use crate::mixpanel::import::{FailedRecord, imported_answer, partial_answer};

/// What is wrong with the answer. Unless said otherwise it is a 400 whose list and counts are those of a request whose
/// first event failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportLie {
    /// All events are listed as failed.
    AllFailed,
    /// The list is empty, and the count is none.
    EmptyList,
    /// There is neither a list nor a count.
    NoList,
    /// The count is higher by one than what is not listed.
    WrongCount,
    /// The index lies beyond the last event.
    IndexOutOfRange,
    /// The index is there twice, and the count agrees with that.
    DuplicateIndex,
    /// The id stands under the other one of its two names.
    OtherKey,
    /// The JSON breaks off, though the length agrees.
    TruncatedJson,
    /// A 200 that counts one event less than was sent.
    FewerImported,
}

impl ImportLie {
    /// The answer to a request with these events.
    pub(crate) fn response(self, events: &[Value], key: InsertIdKey) -> Response {
        let sent = events.len();
        let record = |index: usize| FailedRecord {
            index,
            insert_id: events
                .get(index)
                .map_or(Value::Null, |event| event["properties"]["$insert_id"].clone()),
            field: "properties.time".to_owned(),
            message: "'properties.time' is invalid: must be specified as seconds since epoch".to_owned(),
        };
        let others = sent.saturating_sub(1);
        match self {
            Self::AllFailed => partial_answer(0, &(0..sent).map(record).collect::<Vec<_>>(), key),
            Self::EmptyList => partial_answer(0, &[], key),
            Self::NoList => {
                let error = "some data points in the request failed validation";
                Response::json(400, &json!({"code": 400, "error": error, "status": "Bad Request"}))
            }
            Self::WrongCount => partial_answer(sent, &[record(0)], key),
            Self::IndexOutOfRange => partial_answer(others, &[record(sent)], key),
            Self::DuplicateIndex => partial_answer(sent.saturating_sub(2), &[record(0), record(0)], key),
            Self::OtherKey => partial_answer(others, &[record(0)], key.other()),
            Self::TruncatedJson => {
                let mut response = partial_answer(others, &[record(0)], key);
                response.body.truncate(response.body.len() / 2);
                response
            }
            Self::FewerImported => imported_answer(others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_is_the_one_it_is_named_for() {
        let events = [json!({"properties": {"$insert_id": "a"}}), json!({"properties": {"$insert_id": "b"}})];
        let told = |lie: ImportLie| {
            let response = lie.response(&events, InsertIdKey::InsertId);
            (response.status, serde_json::from_slice::<Value>(&response.body).unwrap_or_default())
        };
        let summary = |lie| {
            let (status, body) = told(lie);
            let failed = body["failed_records"].as_array().cloned();
            let indexes =
                failed.map(|list| list.iter().filter_map(|one| one["index"].as_u64()).collect::<Vec<_>>());
            (status, body["num_records_imported"].as_u64(), indexes)
        };
        assert_eq!(summary(ImportLie::AllFailed), (400, Some(0), Some(vec![0, 1])));
        assert_eq!(summary(ImportLie::EmptyList), (400, Some(0), Some(vec![])));
        assert_eq!(summary(ImportLie::NoList), (400, None, None));
        assert_eq!(summary(ImportLie::WrongCount), (400, Some(2), Some(vec![0])));
        assert_eq!(summary(ImportLie::IndexOutOfRange), (400, Some(1), Some(vec![2])));
        assert_eq!(summary(ImportLie::DuplicateIndex), (400, Some(0), Some(vec![0, 0])));
        assert_eq!(told(ImportLie::OtherKey).1["failed_records"][0]["$insert_id"], "a");
        assert_eq!(told(ImportLie::TruncatedJson), (400, Value::Null));
        assert_eq!(summary(ImportLie::FewerImported), (200, Some(1), None));
    }
}
