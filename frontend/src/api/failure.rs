//! Why a request failed, as data. The texts for users are in `i18n`.

use domain::Locale;
use domain::failure::ErrorCode;
use serde_json::Value;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server could not be reached.
    Unreachable,
    /// The server's response has a format that this version of the app does not know.
    Unreadable,
    /// The server responded with an error.
    Api(ApiError),
}

/// An error that the server responded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// The server's message, in the language of `locale`.
    pub message: String,
    /// The caller's language at the time of the request.
    pub locale: Locale,
    /// Invalid fields with their messages.
    pub fields: Vec<(String, String)>,
    /// When to retry, in seconds.
    pub retry_after: Option<u64>,
    /// The id with which an operator finds the error in the server's log.
    pub request_id: Option<String>,
}

impl Failure {
    /// Whether the access token was missing, invalid or expired.
    pub fn is_unauthenticated(&self) -> bool {
        match self {
            Self::Api(error) => error.code == ErrorCode::Unauthenticated,
            Self::Unreachable | Self::Unreadable => false,
        }
    }
}

/// The error in a response: a problem document (RFC 9457) or GraphQL errors. `None` if there is none.
pub fn parse_error(status: u16, body: &str, locale: Locale) -> Option<Failure> {
    let response: Value = serde_json::from_str(body).unwrap_or_default();
    let (error, message) = match response["errors"].get(0) {
        Some(first) => (&first["extensions"], &first["message"]),
        None if (200..300).contains(&status) => return None,
        None => (&response, &response["detail"]),
    };
    let Some(code) = error["code"].as_str().and_then(ErrorCode::parse) else {
        // From 502 on, a gateway responds for a server that is down.
        return Some(if status >= 502 { Failure::Unreachable } else { Failure::Unreadable });
    };
    Some(Failure::Api(ApiError {
        code,
        message: text(message).unwrap_or_default(),
        locale,
        fields: fields(error),
        retry_after: error["retryAfterSeconds"].as_u64(),
        request_id: text(&error["requestId"]),
    }))
}

/// The invalid fields. GraphQL errors list them, and a problem document maps their names to messages.
fn fields(error: &Value) -> Vec<(String, String)> {
    match (&error["fields"], &error["errors"]) {
        (Value::Array(list), _) => {
            list.iter().filter_map(|field| Some((text(&field["field"])?, text(&field["message"])?))).collect()
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

    fn api_error(status: u16, body: &str) -> ApiError {
        match parse_error(status, body, Locale::Es) {
            Some(Failure::Api(error)) => error,
            other => panic!("expected an API error, got {other:?}"),
        }
    }

    #[test]
    fn a_problem_document_is_parsed_with_its_field_errors() {
        let body = r#"{"title":"Unprocessable Content","status":422,"detail":"course_id: Not an ID.",
            "code":"BAD_USER_INPUT","errors":{"course_id":"Not an ID."}}"#;
        let error = api_error(422, body);
        assert_eq!(error.code, ErrorCode::BadUserInput);
        assert_eq!(error.fields, [("course_id".to_owned(), "Not an ID.".to_owned())]);
    }

    #[test]
    fn graphql_errors_are_parsed_whatever_the_http_status() {
        let body = r#"{"data":null,"errors":[{"message":"Too many attempts.","extensions":
            {"code":"RATE_LIMITED","retryAfterSeconds":30}}]}"#;
        assert_eq!(api_error(200, body).retry_after, Some(30));
        let body = r#"{"errors":[{"message":"name: Too long.","extensions":{"code":"BAD_USER_INPUT",
            "field":"name","fields":[{"field":"name","message":"Too long."}]}}]}"#;
        assert_eq!(api_error(200, body).fields, [("name".to_owned(), "Too long.".to_owned())]);
    }

    #[test]
    fn a_response_with_data_is_no_error() {
        assert_eq!(parse_error(200, r#"{"data":{"rows":[]}}"#, Locale::Es), None);
        assert_eq!(parse_error(201, r#"{"url":"/x"}"#, Locale::Es), None);
    }

    #[test]
    fn an_error_without_a_known_code_is_unreadable() {
        assert_eq!(
            parse_error(200, r#"{"errors":[{"message":"boom"}]}"#, Locale::Es),
            Some(Failure::Unreadable)
        );
        assert_eq!(parse_error(500, "<html>", Locale::Es), Some(Failure::Unreadable));
        assert_eq!(parse_error(502, "<html>", Locale::Es), Some(Failure::Unreachable));
    }
}
