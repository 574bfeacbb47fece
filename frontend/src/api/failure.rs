//! Why a request brought no answer, as data; the words for it are in `i18n`.

use domain::Locale;
use domain::failure::ErrorCode;
use serde_json::Value;

/// Why a request brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server could not be reached.
    Unreachable,
    /// The server answered something that this version of the app does not understand.
    Unreadable,
    /// The server refused, and said why.
    Refused(Refusal),
}

/// What the server said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of refusal.
    pub code: ErrorCode,
    /// The reason, in the language that the caller read at the time.
    pub message: String,
    /// That language.
    pub told_in: Locale,
    /// Wrong fields, each with what is wrong with it.
    pub fields: Vec<(String, String)>,
    /// When to come back, in seconds.
    pub retry_after: Option<u64>,
    /// By what the operator finds the fault in the log.
    pub request_id: Option<String>,
}

impl Failure {
    /// Whether the access token was not, or no longer, good.
    pub fn is_unauthenticated(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.code == ErrorCode::Unauthenticated,
            Self::Unreachable | Self::Unreadable => false,
        }
    }
}

/// What an answer says against the request, as a problem document (RFC 9457) or as GraphQL errors; `None` when nothing.
pub fn refusal(status: u16, body: &str, told_in: Locale) -> Option<Failure> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let (about, message) = match answer["errors"].get(0) {
        Some(first) => (&first["extensions"], &first["message"]),
        None if (200..300).contains(&status) => return None,
        None => (&answer, &answer["detail"]),
    };
    let Some(code) = about["code"].as_str().and_then(ErrorCode::parse) else {
        // A gateway answers for a server that is not there.
        return Some(if status >= 502 { Failure::Unreachable } else { Failure::Unreadable });
    };
    Some(Failure::Refused(Refusal {
        code,
        message: text(message).unwrap_or_default(),
        told_in,
        fields: fields(about),
        retry_after: about["retryAfterSeconds"].as_u64(),
        request_id: text(&about["requestId"]),
    }))
}

/// The wrong fields: GraphQL lists them, a problem document has them by name.
fn fields(about: &Value) -> Vec<(String, String)> {
    match (&about["fields"], &about["errors"]) {
        (Value::Array(list), _) => {
            list.iter().filter_map(|wrong| Some((text(&wrong["field"])?, text(&wrong["message"])?))).collect()
        }
        (_, Value::Object(by_name)) => {
            by_name.iter().filter_map(|(field, message)| Some((field.clone(), text(message)?))).collect()
        }
        (_, _) => Vec::new(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> Refusal {
        match refusal(status, body, Locale::Es) {
            Some(Failure::Refused(refusal)) => refusal,
            other => panic!("a refusal was expected, not {other:?}"),
        }
    }

    #[test]
    fn a_problem_document_is_a_refusal_with_its_fields() {
        let body = r#"{"title":"Unprocessable Content","status":422,"detail":"course_id: Not an id.",
            "code":"BAD_USER_INPUT","errors":{"course_id":"Not an id."}}"#;
        let refusal = refused(422, body);
        assert_eq!(refusal.code, ErrorCode::BadUserInput);
        assert_eq!(refusal.fields, [("course_id".to_owned(), "Not an id.".to_owned())]);
    }

    #[test]
    fn graphql_errors_are_a_refusal_whatever_the_status() {
        let body = r#"{"data":null,"errors":[{"message":"Too many attempts.","extensions":
            {"code":"RATE_LIMITED","retryAfterSeconds":30}}]}"#;
        assert_eq!(refused(200, body).retry_after, Some(30));
        let body = r#"{"errors":[{"message":"name: Too long.","extensions":{"code":"BAD_USER_INPUT",
            "field":"name","fields":[{"field":"name","message":"Too long."}]}}]}"#;
        assert_eq!(refused(200, body).fields, [("name".to_owned(), "Too long.".to_owned())]);
    }

    #[test]
    fn an_answer_with_data_is_no_refusal() {
        assert_eq!(refusal(200, r#"{"data":{"rows":[]}}"#, Locale::Es), None);
        assert_eq!(refusal(201, r#"{"url":"/x"}"#, Locale::Es), None);
    }

    #[test]
    fn what_has_no_code_of_ours_is_unreadable() {
        assert_eq!(refusal(200, r#"{"errors":[{"message":"boom"}]}"#, Locale::Es), Some(Failure::Unreadable));
        assert_eq!(refusal(500, "<html>", Locale::Es), Some(Failure::Unreadable));
        assert_eq!(refusal(502, "<html>", Locale::Es), Some(Failure::Unreachable));
    }
}
