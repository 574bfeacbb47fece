//! Parses payload cells, which contain JSON or any other text.

use std::borrow::Cow;

use serde_json::json;

use super::cell_problem::CellProblem;
use crate::json_scan::{Finding, scan};
use crate::spreadsheet;

/// Returns the JSON to store for a payload cell that is not blank.
///
/// A JSON object or array is stored unchanged, and any other text as `{"raw": text}`, without the guards of our exports if it
/// may have some.
pub fn read(text: &str, max_nesting: usize, has_guards: bool) -> Result<Cow<'_, str>, CellProblem> {
    let finding =
        if text.trim_start().starts_with(['{', '[']) { scan(text, max_nesting) } else { Finding::NotJson };
    match finding {
        Finding::Storable => Ok(Cow::Borrowed(text)),
        Finding::NotJson => {
            let text = if has_guards { spreadsheet::restore(text) } else { Cow::Borrowed(text) };
            Ok(Cow::Owned(json!({ "raw": text }).to_string()))
        }
        Finding::TooDeep => Err(CellProblem::TooDeep),
        Finding::NotStorable => Err(CellProblem::NotStorable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_scan::MAX_NESTING;

    fn read(text: &str) -> Result<Cow<'_, str>, CellProblem> {
        super::read(text, MAX_NESTING, false)
    }

    #[test]
    fn objects_and_arrays_are_unchanged() {
        for text in ["{}", " [1, 2.50, {\"a\": null}] ", "{\"n\": 123456789012345678901234567890.10}"] {
            assert_eq!(read(text), Ok(Cow::Borrowed(text)));
        }
    }

    #[test]
    fn any_other_text_is_wrapped_as_raw_text() {
        assert_eq!(read("12").unwrap(), r#"{"raw":"12"}"#);
        assert_eq!(read("{a: \"b\"}").unwrap(), r#"{"raw":"{a: \"b\"}"}"#);
        assert_eq!(read("[1] and more").unwrap(), r#"{"raw":"[1] and more"}"#);
    }

    #[test]
    fn json_that_cannot_be_stored_is_rejected() {
        assert_eq!(read("{\"a\": \"\\u0000\"}"), Err(CellProblem::NotStorable));
        assert_eq!(read("[1e400]"), Err(CellProblem::NotStorable));
        assert_eq!(read(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))), Err(CellProblem::TooDeep));
    }
}
