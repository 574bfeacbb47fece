//! What the files that spreadsheets open have in common: dates, and protection against formula injection.
//!
//! A spreadsheet may take a text cell for a formula. It may also divide a file otherwise than we do, at the separator of its
//! own language or at line breaks inside cells. Exports therefore put a guard before every part of a text cell that could
//! become a cell which starts a formula, and imports remove it. In JSON, the character is escaped instead, which changes no
//! value. Numbers are left as they are, so a negative number stays a number.

pub mod serial_date;

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The property of our workbooks with the time zone of their dates.
pub const TIME_ZONE_PROPERTY: &str = "DataPorter time zone";

/// The property of our workbooks with the number of sheets that their rows are on.
pub const SHEETS_PROPERTY: &str = "DataPorter sheets";

/// The prefix that makes a spreadsheet show a cell as plain text.
const GUARD: u8 = b'\'';

/// Where in a text a cell would start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// At the start of the text. Line breaks and tabs there end the cell for some programs.
    OfText,
    /// After a separator.
    AfterSeparator,
}

/// Whether a spreadsheet may take what starts here for a formula.
///
/// This depends on the first character after white space and quotes, which some programs skip. The guard is a
/// quote too, so guarded text counts as dangerous, which makes [`restore`] exact.
fn is_dangerous(text: &[u8], start: Start) -> bool {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'=' | b'+' | b'-' | b'@' | b'|' => return true,
            b'\t' | b'\r' | b'\n' => return start == Start::OfText,
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

/// Whether no part of a text can be dangerous. A fast path, since nearly all texts are like this.
fn is_plain(text: &[u8]) -> bool {
    text.first().is_none_or(u8::is_ascii_alphanumeric) && !text.iter().any(|byte| is_separator(*byte))
}

/// Whether this byte divides cells or rows for some spreadsheet.
const fn is_separator(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b'\t' | b'\n' | b'\r')
}

/// The positions in a text where a cell would start for some spreadsheet.
fn starts(text: &[u8]) -> impl Iterator<Item = (usize, Start)> {
    let separators = text.iter().enumerate().filter(|(_, byte)| is_separator(**byte));
    let after = separators.map(|(index, _)| (index + 1, Start::AfterSeparator));
    std::iter::once((0, Start::OfText)).chain(after)
}

/// Returns the text with a guard before each part that a spreadsheet may take for a formula.
pub fn neutralise(text: &[u8]) -> Cow<'_, [u8]> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut neutral = Vec::new();
    let mut copied = 0;
    for (at, _) in starts(text).filter(|(at, start)| is_dangerous(&text[*at..], *start)) {
        neutral.extend_from_slice(&text[copied..at]);
        neutral.push(GUARD);
        copied = at;
    }
    if neutral.is_empty() {
        return Cow::Borrowed(text);
    }
    neutral.extend_from_slice(&text[copied..]);
    Cow::Owned(neutral)
}

/// Reverses [`neutralise`].
pub fn restore(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        return Cow::Borrowed(text);
    }
    let mut original = String::new();
    let mut copied = 0;
    for (at, start) in starts(bytes) {
        if bytes.get(at) == Some(&GUARD) && is_dangerous(&bytes[at + 1..], start) {
            original.push_str(&text[copied..at]);
            copied = at + 1;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    original.push_str(&text[copied..]);
    Cow::Owned(original)
}

/// Returns JSON in which no string has a part that a spreadsheet may take for a formula: the first character of such a part
/// is escaped (RFC 8259 §7), so the value is the same.
pub fn neutralise_json(json: &[u8]) -> Cow<'_, [u8]> {
    if !json.iter().any(|byte| matches!(byte, b'=' | b'+' | b'-' | b'@' | b'|' | 0xef)) {
        return Cow::Borrowed(json);
    }
    let mut neutral = Vec::new();
    let mut copied = 0;
    let (mut is_in_string, mut is_at_start, mut at) = (false, false, 0);
    while let Some(byte) = json.get(at) {
        let length = match (byte, is_in_string) {
            (b'"', _) => {
                is_in_string = !is_in_string;
                is_at_start = is_in_string;
                1
            }
            (_, false) => 1,
            (b'\\', true) => {
                is_at_start &= json.get(at + 1) == Some(&b'"');
                2
            }
            // Inside a part, only the end of it matters.
            (byte, true) if !is_at_start => {
                is_at_start = matches!(byte, b',' | b';');
                1
            }
            (byte, true) => {
                let character = first_character(&json[at..]);
                let length = character.map_or(1, char::len_utf8);
                if is_dangerous(&json[at..at + length], Start::AfterSeparator) {
                    let code = character.map_or(u32::from(*byte), u32::from);
                    neutral.extend_from_slice(&json[copied..at]);
                    neutral.extend_from_slice(format!("\\u{code:04x}").as_bytes());
                    copied = at + length;
                }
                is_at_start =
                    character.is_some_and(|other| matches!(other, ',' | ';' | '\'') || other.is_whitespace());
                length
            }
        };
        at += length;
    }
    if neutral.is_empty() {
        return Cow::Borrowed(json);
    }
    neutral.extend_from_slice(&json[copied..]);
    Cow::Owned(neutral)
}

/// Neutralises a cell that may be JSON.
pub fn neutralise_any(cell: &str) -> Cow<'_, str> {
    let neutral = if is_json(cell) { neutralise_json(cell.as_bytes()) } else { neutralise(cell.as_bytes()) };
    match neutral {
        Cow::Borrowed(_) => Cow::Borrowed(cell),
        // Only whole ASCII characters are added or replaced.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Reverses [`neutralise_any`]. JSON needs nothing.
pub fn restore_any(cell: &str) -> Cow<'_, str> {
    if is_json(cell) { Cow::Borrowed(cell) } else { restore(cell) }
}

fn is_json(cell: &str) -> bool {
    cell.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(cell).is_ok()
}

/// The first character of these bytes, if they are valid UTF-8.
fn first_character(bytes: &[u8]) -> Option<char> {
    bytes[..bytes.len().min(4)].utf8_chunks().next()?.valid().chars().next()
}

#[cfg(test)]
mod tests;
