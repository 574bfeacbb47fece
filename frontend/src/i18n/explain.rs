//! The words for a failure: what happened, and what helps.

use domain::Locale;
use domain::failure::ErrorCode;

use super::messages;
use crate::api::failure::{Failure, Refusal};

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What happened.
    pub what: String,
    /// What helps.
    pub help: String,
}

/// Seconds to wait where the server did not say.
const USUAL_WAIT: u64 = 60;

/// Says in a language what happened and what helps.
pub fn explain(failure: &Failure, locale: Locale) -> Explained {
    let words = &messages(locale).failures;
    let (what, help) = match failure {
        Failure::Unreachable => (words.unreachable.to_owned(), words.unreachable_help.to_owned()),
        Failure::Unreadable => (words.unreadable.to_owned(), words.unreadable_help.to_owned()),
        Failure::Refused(refusal) => refused(refusal, locale),
    };
    Explained { what, help }
}

fn refused(refusal: &Refusal, locale: Locale) -> (String, String) {
    let words = &messages(locale).failures;
    // What the server said stands in the language that it was asked in, and the page may have changed its own since.
    let is_readable = refusal.told_in == locale;
    let told = |otherwise: &str| if is_readable { refusal.message.as_str() } else { otherwise }.to_owned();
    match refusal.code {
        ErrorCode::Unauthenticated => {
            (words.unauthenticated.to_owned(), words.unauthenticated_help.to_owned())
        }
        ErrorCode::Forbidden => (told(words.forbidden), words.forbidden_help.to_owned()),
        ErrorCode::ScopeRequired => (told(words.scope), words.scope_help.to_owned()),
        ErrorCode::BadUserInput if !is_readable => (words.input.to_owned(), words.input_help.to_owned()),
        ErrorCode::BadUserInput => (input(refusal), words.input_help.to_owned()),
        ErrorCode::NotFound => (words.not_found.to_owned(), words.not_found_help.to_owned()),
        ErrorCode::Conflict => (told(words.conflict), words.conflict_help.to_owned()),
        ErrorCode::RateLimited => {
            let seconds = refusal.retry_after.unwrap_or(USUAL_WAIT);
            (words.rate_limited.to_owned(), (words.rate_limited_help)(seconds))
        }
        ErrorCode::TooComplex => (words.too_complex.to_owned(), words.input_help.to_owned()),
        ErrorCode::Unavailable => (words.unavailable.to_owned(), words.unavailable_help.to_owned()),
        ErrorCode::Internal => {
            (words.internal.to_owned(), (words.internal_help)(refusal.request_id.as_deref()))
        }
    }
}

/// What is wrong with each field, or what the server said as a whole.
fn input(refusal: &Refusal) -> String {
    if refusal.fields.is_empty() {
        return refusal.message.clone();
    }
    refusal.fields.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_helps_in_both_languages() {
        for locale in Locale::ALL {
            for code in ErrorCode::ALL {
                let refusal = Refusal {
                    code,
                    message: "…".to_owned(),
                    told_in: Locale::Es,
                    fields: Vec::new(),
                    retry_after: None,
                    request_id: None,
                };
                let Explained { what, help } = explain(&Failure::Refused(refusal), locale);
                assert!(!what.is_empty() && !help.is_empty(), "{code:?} in {}", locale.tag());
            }
        }
    }

    #[test]
    fn what_the_server_said_in_another_language_is_not_shown() {
        let refusal = Refusal {
            code: ErrorCode::BadUserInput,
            message: "Mal.".to_owned(),
            told_in: Locale::Es,
            fields: vec![("name".to_owned(), "Muy mal.".to_owned())],
            retry_after: None,
            request_id: None,
        };
        let failure = Failure::Refused(refusal);
        assert_eq!(explain(&failure, Locale::Es).what, "Muy mal.");
        assert_eq!(explain(&failure, Locale::En).what, "What was sent is not accepted.");
    }

    #[test]
    fn too_many_attempts_say_how_long_to_wait() {
        let refusal = Refusal {
            code: ErrorCode::RateLimited,
            message: String::new(),
            told_in: Locale::En,
            fields: Vec::new(),
            retry_after: Some(30),
            request_id: None,
        };
        let explained = explain(&Failure::Refused(refusal), Locale::En);
        assert_eq!(explained.help, "Try again in 30 seconds.");
    }
}
