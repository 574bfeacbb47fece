//! Text cells that a spreadsheet would take for a formula: how they are made harmless on their way out of the hub, and
//! turned back on their way in.
//!
//! One rule serves every file format that a spreadsheet opens. Only text cells go through it: a negative number is a
//! number and stays one.

use std::borrow::Cow;

/// What makes a spreadsheet show a cell's text as it is.
pub const GUARD: char = '\'';

/// Whether a spreadsheet may take this cell for a formula, or for the end of the cell.
///
/// That depends on the first character behind white space and quotes, which some programs pass over. Since the guard is
/// a quote itself, guarded text is dangerous by this rule too, which is what makes [`restore`] exact.
#[inline]
pub fn is_dangerous(text: &[u8]) -> bool {
    // As nearly all text begins.
    !text.first().is_some_and(u8::is_ascii_alphanumeric) && is_dangerous_in_disguise(text)
}

fn is_dangerous_in_disguise(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        match first {
            b'=' | b'+' | b'-' | b'@' | b'|' | b'\t' | b'\r' | b'\n' => return true,
            b' ' | b'\'' | b'"' | b'\x0b' | b'\x0c' => rest = behind,
            first if first.is_ascii() => return false,
            _ => match first_character(rest) {
                Some('＝' | '＋' | '－' | '＠') => return true,
                Some(space) if space.is_whitespace() => rest = &rest[space.len_utf8()..],
                Some(_) | None => return false,
            },
        }
    }
    false
}

/// The text, with the guard in front if it is dangerous.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if is_dangerous(text.as_bytes()) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// The text as it was before [`neutralise`].
pub fn restore(text: &str) -> &str {
    match text.strip_prefix(GUARD) {
        Some(original) if is_dangerous(original.as_bytes()) => original,
        Some(_) | None => text,
    }
}

/// The character that these bytes begin with, if they are text.
fn first_character(bytes: &[u8]) -> Option<char> {
    bytes[..bytes.len().min(4)].utf8_chunks().next()?.valid().chars().next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_dangerous_however_they_are_dressed_up() {
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
            assert!(is_dangerous(dangerous.as_bytes()), "{dangerous:?}");
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for harmless in
            ["", " ", "'", "a=1", "año", "'quoted'", "1-2", "{\"a\": -1}", "(=1)", "ñ=", "\u{200b}x"]
        {
            assert!(!is_dangerous(harmless.as_bytes()), "{harmless:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_harmless() {
        assert!(!is_dangerous(b"\xff=1"));
        assert!(!is_dangerous(b"\xef\xbc"));
    }

    proptest! {
        #[test]
        fn what_was_neutralised_is_restored(text in any::<String>()) {
            let neutral = neutralise(&text);
            prop_assert_eq!(restore(&neutral), &text);
        }

        #[test]
        fn the_same_holds_for_nothing_but_special_characters(text in "[-=+@|'\" \t\r\n＝a]{0,8}") {
            let neutral = neutralise(&text);
            prop_assert!(neutral == text.as_str() || neutral.starts_with(GUARD));
            prop_assert_eq!(restore(&neutral), &text);
        }
    }
}
