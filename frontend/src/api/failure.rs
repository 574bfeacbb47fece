//! Why a request brought no answer, as data; the words for it are in `i18n`.

use domain::failure::ErrorCode;
use serde::Deserialize;
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
    /// The reason in the caller's language.
    pub message: String,
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

/// The first of a GraphQL answer's errors, with the wrong fields of all of them.
pub fn from_graphql(errors: &[graphql_client::Error]) -> Failure {
    let Some(first) = errors.first() else { return Failure::Unreadable };
    let extension = |error: &graphql_client::Error, key: &str| -> Option<Value> {
        error.extensions.as_ref().and_then(|extensions| extensions.get(key).cloned())
    };
    let text = |error: &graphql_client::Error, key: &str| -> Option<String> {
        extension(error, key).and_then(|value| value.as_str().map(str::to_owned))
    };
    let Some(code) = text(first, "code").as_deref().and_then(ErrorCode::parse) else {
        return Failure::Unreadable;
    };
    Failure::Refused(Refusal {
        code,
        message: first.message.clone(),
        fields: errors
            .iter()
            .filter_map(|error| Some((text(error, "field")?, error.message.clone())))
            .collect(),
        retry_after: extension(first, "retryAfterSeconds").and_then(|value| value.as_u64()),
        request_id: text(first, "requestId"),
    })
}

/// A problem document (RFC 9457) with our members; anything else is unreadable.
pub fn from_problem(status: u16, body: &str) -> Failure {
    /// The document's members that matter here.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Problem {
        code: String,
        detail: Option<String>,
        title: Option<String>,
        #[serde(default)]
        errors: Vec<FieldError>,
        retry_after_seconds: Option<u64>,
        request_id: Option<String>,
    }
    /// One wrong field.
    #[derive(Deserialize)]
    struct FieldError {
        field: String,
        message: String,
    }

    if status >= 502 {
        return Failure::Unreachable;
    }
    let Ok(problem) = serde_json::from_str::<Problem>(body) else { return Failure::Unreadable };
    let Some(code) = ErrorCode::parse(&problem.code) else { return Failure::Unreadable };
    Failure::Refused(Refusal {
        code,
        message: problem.detail.or(problem.title).unwrap_or_default(),
        fields: problem.errors.into_iter().map(|error| (error.field, error.message)).collect(),
        retry_after: problem.retry_after_seconds,
        request_id: problem.request_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_becomes_a_refusal_with_its_fields() {
        let body = r#"{"title":"Wrong input","status":422,"detail":"Two fields are wrong.","code":"BAD_USER_INPUT",
            "errors":[{"field":"course_id","message":"Not an id."}]}"#;
        let Failure::Refused(refusal) = from_problem(422, body) else { panic!("a refusal was expected") };
        assert_eq!(refusal.code, ErrorCode::BadUserInput);
        assert_eq!(refusal.fields, [("course_id".to_owned(), "Not an id.".to_owned())]);
    }

    #[test]
    fn a_graphql_error_without_a_code_of_ours_is_unreadable() {
        let errors: Vec<graphql_client::Error> = serde_json::from_str(r#"[{"message":"boom"}]"#).unwrap();
        assert_eq!(from_graphql(&errors), Failure::Unreadable);
    }

    #[test]
    fn a_gateway_without_a_server_behind_it_counts_as_unreachable() {
        assert_eq!(from_problem(502, "<html>Bad gateway</html>"), Failure::Unreachable);
    }
}
