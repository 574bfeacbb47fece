//! Protection against formula injection: text cells that a spreadsheet would take for a formula are
//! neutralised in exports and restored in imports.
//!
//! The same rule applies to all file formats that spreadsheets open. It only applies to text cells, so a
//! negative number stays a number.

use std::borrow::Cow;

/// The prefix that makes a spreadsheet show a cell as plain text.
pub const GUARD: char = '\'';

/// Whether a spreadsheet may take this cell for a formula, or for the end of a cell.
///
/// This depends on the first character after white space and quotes, which some programs skip. The guard is a
/// quote too, so guarded text counts as dangerous, which makes [`restore`] exact.
#[inline]
pub fn is_dangerous(text: &[u8]) -> bool {
    // A fast path, since nearly all text starts like this.
    !text.first().is_some_and(u8::is_ascii_alphanumeric) && is_dangerous_when_trimmed(text)
}

fn is_dangerous_when_trimmed(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'=' | b'+' | b'-' | b'@' | b'|' | b'\t' | b'\r' | b'\n' => return true,
            b' ' | b'\'' | b'"' | b'\x0b' | b'\x0c' => rest = after,
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

/// Returns the text, prefixed with the guard if it is dangerous.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if is_dangerous(text.as_bytes()) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// Reverses [`neutralise`].
pub fn restore(text: &str) -> &str {
    match text.strip_prefix(GUARD) {
        Some(original) if is_dangerous(original.as_bytes()) => original,
        Some(_) | None => text,
    }
}

/// The first character of these bytes, if they are valid UTF-8.
fn first_character(bytes: &[u8]) -> Option<char> {
    bytes[..bytes.len().min(4)].utf8_chunks().next()?.valid().chars().next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_dangerous_even_after_spaces_and_quotes() {
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
    fn ordinary_text_is_harmless() {
        for harmless in
            ["", " ", "'", "a=1", "año", "'quoted'", "1-2", "{\"a\": -1}", "(=1)", "ñ=", "\u{200b}x"]
        {
            assert!(!is_dangerous(harmless.as_bytes()), "{harmless:?}");
        }
    }

    #[test]
    fn invalid_utf8_is_harmless() {
        assert!(!is_dangerous(b"\xff=1"));
        assert!(!is_dangerous(b"\xef\xbc"));
    }

    proptest! {
        #[test]
        fn neutralised_text_is_restored(text in any::<String>()) {
            let neutral = neutralise(&text);
            prop_assert_eq!(restore(&neutral), &text);
        }

        #[test]
        fn neutralised_special_characters_are_restored(text in "[-=+@|'\" \t\r\n＝a]{0,8}") {
            let neutral = neutralise(&text);
            prop_assert!(neutral == text.as_str() || neutral.starts_with(GUARD));
            prop_assert_eq!(restore(&neutral), &text);
        }
    }
}
