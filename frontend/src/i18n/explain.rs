//! The texts for a failure: what happened, and what the user can do.

use domain::Locale;
use domain::failure::ErrorCode;

use super::messages;
use crate::api::failure::{ApiError, Failure};

/// The text for a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub message: String,
    /// What the user can do.
    pub help: String,
}

/// Seconds until a retry, if the server did not say.
const DEFAULT_RETRY_SECONDS: u64 = 60;

/// Explains a failure in a language.
pub fn explain(failure: &Failure, locale: Locale) -> Explanation {
    let texts = &messages(locale).failures;
    let (message, help) = match failure {
        Failure::Unreachable => (texts.unreachable.to_owned(), texts.unreachable_help.to_owned()),
        Failure::Unreadable => (texts.unreadable.to_owned(), texts.unreadable_help.to_owned()),
        Failure::Api(error) => explain_api_error(error, locale),
    };
    Explanation { message, help }
}

fn explain_api_error(error: &ApiError, locale: Locale) -> (String, String) {
    let texts = &messages(locale).failures;
    // The server's message is in the language of the request, and the page's language may have changed since.
    let is_in_page_language = error.locale == locale;
    let server_message_or =
        |fallback: &str| if is_in_page_language { error.message.as_str() } else { fallback }.to_owned();
    match error.code {
        ErrorCode::Unauthenticated => {
            (texts.unauthenticated.to_owned(), texts.unauthenticated_help.to_owned())
        }
        ErrorCode::Forbidden => (server_message_or(texts.forbidden), texts.forbidden_help.to_owned()),
        ErrorCode::ScopeRequired => (server_message_or(texts.scope), texts.scope_help.to_owned()),
        ErrorCode::BadUserInput if !is_in_page_language => {
            (texts.input.to_owned(), texts.input_help.to_owned())
        }
        ErrorCode::BadUserInput => (field_errors(error), texts.input_help.to_owned()),
        ErrorCode::NotFound => (texts.not_found.to_owned(), texts.not_found_help.to_owned()),
        ErrorCode::Conflict => (server_message_or(texts.conflict), texts.conflict_help.to_owned()),
        ErrorCode::RateLimited => {
            let seconds = error.retry_after.unwrap_or(DEFAULT_RETRY_SECONDS);
            (texts.rate_limited.to_owned(), (texts.rate_limited_help)(seconds))
        }
        ErrorCode::TooComplex => (texts.too_complex.to_owned(), texts.input_help.to_owned()),
        ErrorCode::Unavailable => (texts.unavailable.to_owned(), texts.unavailable_help.to_owned()),
        ErrorCode::Internal => {
            (texts.internal.to_owned(), (texts.internal_help)(error.request_id.as_deref()))
        }
    }
}

/// The messages about the invalid fields, or the server's message if there are none.
fn field_errors(error: &ApiError) -> String {
    if error.fields.is_empty() {
        return error.message.clone();
    }
    error.fields.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_code_has_a_text_and_help_in_both_languages() {
        for locale in Locale::ALL {
            for code in ErrorCode::ALL {
                let error = ApiError {
                    code,
                    message: "…".to_owned(),
                    locale: Locale::Es,
                    fields: Vec::new(),
                    retry_after: None,
                    request_id: None,
                };
                let Explanation { message, help } = explain(&Failure::Api(error), locale);
                assert!(!message.is_empty() && !help.is_empty(), "{code:?} in {}", locale.tag());
            }
        }
    }

    #[test]
    fn a_server_message_in_another_language_is_not_shown() {
        let error = ApiError {
            code: ErrorCode::BadUserInput,
            message: "Mal.".to_owned(),
            locale: Locale::Es,
            fields: vec![("name".to_owned(), "Muy mal.".to_owned())],
            retry_after: None,
            request_id: None,
        };
        let failure = Failure::Api(error);
        assert_eq!(explain(&failure, Locale::Es).message, "Muy mal.");
        assert_eq!(explain(&failure, Locale::En).message, "The input is invalid.");
    }

    #[test]
    fn a_rate_limit_error_says_how_long_to_wait() {
        let error = ApiError {
            code: ErrorCode::RateLimited,
            message: String::new(),
            locale: Locale::En,
            fields: Vec::new(),
            retry_after: Some(30),
            request_id: None,
        };
        let explained = explain(&Failure::Api(error), Locale::En);
        assert_eq!(explained.help, "Try again in 30 seconds.");
    }
}
