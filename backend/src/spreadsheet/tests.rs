use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn neutral(text: &str) -> String {
    String::from_utf8(neutralise(text.as_bytes()).into_owned()).unwrap()
}

/// Whether a part of a line that was divided at this separator would be a formula.
fn is_formula(part: &str) -> bool {
    is_dangerous(part.as_bytes(), Start::AfterSeparator)
        && !part.trim_start_matches([' ', '"']).starts_with('\'')
}

#[test]
fn formulas_are_guarded_even_after_spaces_and_quotes() {
    for dangerous in [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "|cmd",
        "\tx",
        "\rx",
        "\nx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        " =1",
        "\u{a0}=1",
        "'=1",
        "\"=1",
        " ' \" =1",
        " \t",
        "=cmd|' /C calc'!A0",
        "\u{3000}＝1",
    ] {
        assert_eq!(neutral(dangerous), format!("'{dangerous}"));
    }
}

#[test]
fn ordinary_text_is_unchanged() {
    for harmless in [
        "",
        " ",
        "'",
        "a=1",
        "año",
        "'quoted'",
        "1-2",
        "(=1)",
        "ñ=",
        "\u{200b}x",
        "one, two; three",
        "two\n\nparagraphs",
        "a:=1",
    ] {
        assert_eq!(neutral(harmless), harmless);
    }
}

#[test]
fn parts_that_other_spreadsheets_see_are_guarded() {
    for (text, guarded) in [
        ("a;=1", "a;'=1"),
        ("a, -b", "a,' -b"),
        ("x\n=1\r\n@y\t+z", "x\n'=1\r\n'@y\t'+z"),
        ("=a,'=b", "'=a,''=b"),
        (",;=1", ",;'=1"),
    ] {
        assert_eq!(neutral(text), guarded);
        assert_eq!(restore(guarded), text);
    }
}

#[test]
fn invalid_utf8_is_unchanged() {
    for bytes in [&b"\xff=1"[..], b"\xef\xbc"] {
        assert_eq!(&*neutralise(bytes), bytes);
        assert_eq!(&*neutralise_json(bytes), bytes);
    }
}

#[test]
fn strings_in_json_are_escaped_where_a_cell_may_start() {
    let json = r#"{"=a": "x; =1", "b": [-1, "＝", "a=b", "\"=c", "ñ,'@d", "\\", "-"]}"#;
    let neutral =
        r#"{"\u003da": "x; \u003d1", "b": [-1, "\uff1d", "a=b", "\"\u003dc", "ñ,'\u0040d", "\\", "\u002d"]}"#;
    assert_eq!(String::from_utf8_lossy(&neutralise_json(json.as_bytes())), neutral);
    assert_eq!(neutralise_any("[note] a,-b"), "[note] a,'-b", "it is no JSON");
    assert_eq!(restore_any("[note] a,'-b"), "[note] a,-b");
    assert_eq!(restore_any(r#"["a,'-b"]"#), r#"["a,'-b"]"#);
}

/// Texts of characters that matter.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-=+@|'\" \t\r\n,;＝a]{0,12}"]
}

proptest! {
    #[test]
    fn neutralised_text_is_restored(text in texts()) {
        let neutral = neutral(&text);
        prop_assert_eq!(restore(&neutral), text);
    }

    #[test]
    fn no_part_of_neutralised_text_is_a_formula(text in texts()) {
        for part in neutral(&text).split([',', ';', '\t', '\n', '\r']) {
            prop_assert!(!is_formula(part), "{part:?}");
        }
    }

    #[test]
    fn neutralised_json_has_the_same_value_and_no_formula(texts in prop::collection::vec(texts(), 0..4)) {
        let json = serde_json::to_string(&texts).unwrap();
        let neutral = String::from_utf8(neutralise_json(json.as_bytes()).into_owned()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&neutral).unwrap(), serde_json::to_value(&texts).unwrap());
        for part in neutral.split([',', ';']) {
            prop_assert!(!is_formula(part.trim_start_matches('[')), "{part:?}");
        }
    }
}
