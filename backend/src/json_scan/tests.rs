//! Tests of the scan, also against serde_json.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

fn scan(text: &str) -> Finding {
    super::scan(text, 64)
}

#[test]
fn json_that_cannot_be_stored_is_detected() {
    for text in [
        r#""\u0000""#,
        r#"{"\u0000": 1}"#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800\u0041""#,
        "1e400",
        "[1e-400]",
        "1e99999999999999999999",
        &"9".repeat(200),
    ] {
        assert_eq!(scan(text), Finding::NotStorable, "{text}");
    }
    assert_eq!(scan(&format!("{}{}", "[".repeat(65), "]".repeat(65))), Finding::TooDeep);
    assert_eq!(scan(&format!("{}{}", "[".repeat(64), "]".repeat(64))), Finding::Storable);
}

#[test]
fn exactly_the_json_grammar_is_accepted() {
    for text in [
        "", "01", "1.", ".5", "+1", "-", "1e", "[1,]", "{,}", "{\"a\"}", "tru", "'a'", "\"\t\"", "1 2", "[",
        "}",
    ] {
        assert_eq!(scan(text), Finding::NotJson, "{text}");
    }
    for text in [
        "-0",
        "1E+2",
        "0.5e-1",
        " [ ] ",
        "{ }",
        "[{},{}]",
        r#"{"a":{"b":[1,{"c":null}]}}"#,
        r#""\ud83d\ude00""#,
    ] {
        assert_eq!(scan(text), Finding::Storable, "{text}");
    }
}

/// Fragments of JSON, and some that are not JSON.
const PIECES: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\\\\", "\\u", "d83d", "\\ude00", "0041", "0", "12", "-",
    ".5", "e9", " ", "\n", "true", "false", "null", "tru", "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn the_scan_agrees_with_serde_json(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..10)) {
        let text = pieces.concat();
        let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(scan(&text) != Finding::NotJson, is_json);
        if scan(&text) == Finding::Storable {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}
