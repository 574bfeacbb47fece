//! Detects the type of a file from its first bytes, never from its name.

use super::content_kind::ContentKind;
use super::file_problem::FileProblem;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Csv(CsvFormat),
    /// JSON: an array of objects, or one object per line.
    Json(JsonLayout),
    /// A ZIP archive, which should be an Excel workbook.
    Zip,
}

/// How the objects of a JSON file are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonLayout {
    /// They are the elements of an array.
    Array,
    /// Each is on a line of its own.
    Lines,
}

/// The format of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    /// Where the header starts: after byte order marks and a line `sep=;`.
    pub text_start: usize,
    /// The line on which it starts.
    pub first_line: i64,
    pub delimiter: u8,
}

/// The byte order mark in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first bytes of content that is not accepted.
const SIGNATURES: &[(&[u8], ContentKind)] = &[
    (b"\xd0\xcf\x11\xe0", ContentKind::OldOffice),
    (b"%PDF-", ContentKind::Pdf),
    (b"\x1f\x8b", ContentKind::Gzip),
];

/// The first bytes of ZIP archives, the second of an empty one.
const ZIP_SIGNATURES: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// The maximum number of bytes needed to detect the type of a file, without leading blank lines.
const MAX_DETECTION_BYTES: usize = 64 << 10;

/// The delimiters that are accepted. The first one is the default.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Whether the start of a file is long enough to detect its type: it contains the whole header line, if the file is CSV.
pub fn is_long_enough(start: &[u8]) -> bool {
    let text = skip_marks(start).trim_ascii_start();
    if matches!(text, [b'[' | b'{', ..]) || is_signed(start) {
        return true;
    }
    let header = match line_of_separator(text) {
        Some((_, length)) => text[length..].trim_ascii_start(),
        None => text,
    };
    end_of_line(header).is_some() || header.len() >= MAX_DETECTION_BYTES
}

/// Detects the format of a file from its start. Returns an error for content that is not accepted.
pub fn detect(start: &[u8]) -> Result<FileFormat, FileProblem> {
    if is_zip(start) {
        return Ok(FileFormat::Zip);
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Err(FileProblem::WrongKind(*kind));
    }
    let text = skip_marks(start);
    match text {
        [0, _, ..] | [_, 0, ..] => return Err(FileProblem::WrongKind(ContentKind::Utf16)),
        _ if is_binary(header_line(text)) => return Err(FileProblem::WrongKind(ContentKind::Binary)),
        _ => {}
    }
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(FileProblem::Empty),
        Some(b'[') => return Ok(FileFormat::Json(JsonLayout::Array)),
        Some(b'{') => return Ok(FileFormat::Json(JsonLayout::Lines)),
        Some(_) => {}
    }
    let trimmed = text.trim_ascii_start();
    let blank_lines = count_lines(&text[..text.len() - trimmed.len()], &mut false);
    let (delimiter, text, first_line) = match line_of_separator(trimmed) {
        Some((delimiter, length)) => (delimiter, &trimmed[length..], blank_lines + 2),
        None => (most_frequent_delimiter(text), text, 1),
    };
    Ok(FileFormat::Csv(CsvFormat { text_start: start.len() - text.len(), first_line, delimiter }))
}

/// Whether the first bytes alone tell the type of the file.
fn is_signed(start: &[u8]) -> bool {
    is_zip(start) || SIGNATURES.iter().any(|(signature, _)| start.starts_with(signature))
}

fn is_zip(start: &[u8]) -> bool {
    ZIP_SIGNATURES.iter().any(|signature| start.starts_with(signature))
}

/// The file without byte order marks at its start. Joined files and some tools write several.
fn skip_marks(mut start: &[u8]) -> &[u8] {
    while let Some(rest) = start.strip_prefix(BYTE_ORDER_MARK) {
        start = rest;
    }
    start
}

/// The delimiter that a first line such as `sep=;` states for Excel, and the length of that line with its line
/// break.
fn line_of_separator(text: &[u8]) -> Option<(u8, usize)> {
    let quoted = text.strip_prefix(b"\"");
    let (name, rest) = quoted.unwrap_or(text).split_at_checked(4)?;
    let (delimiter, rest) = rest.split_first()?;
    let rest = if quoted.is_some() { rest.strip_prefix(b"\"")? } else { rest };
    let is_separator = name.eq_ignore_ascii_case(b"sep=") && DELIMITERS.contains(delimiter);
    let line_break = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return None,
    };
    is_separator.then_some((*delimiter, text.len() - rest.len() + line_break))
}

/// The delimiter that occurs most often in the header. No column name contains one.
fn most_frequent_delimiter(text: &[u8]) -> u8 {
    let text = text.trim_ascii_start();
    let header = header_line(text);
    let count = |delimiter: u8| header.split(|byte| *byte == delimiter).count();
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Whether a line with null characters is no text: it has other control characters too.
fn is_binary(line: &[u8]) -> bool {
    line.contains(&0) && line.iter().any(|byte| matches!(byte, 1..=8 | 14..=31))
}

/// The text up to its first line break.
fn header_line(text: &[u8]) -> &[u8] {
    &text[..end_of_line(text).unwrap_or(text.len())]
}

/// The number of line breaks in a text. `is_after_cr` tells whether CR comes before it, and is set for the text after it.
pub fn count_lines(text: &[u8], is_after_cr: &mut bool) -> i64 {
    text.iter()
        .map(|byte| {
            let ends_line = *byte == b'\r' || *byte == b'\n' && !*is_after_cr;
            *is_after_cr = *byte == b'\r';
            i64::from(ends_line)
        })
        .sum()
}

/// The position after the first byte of the first line break.
fn end_of_line(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|position| position + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_detected_from_the_header() {
        for (file, text_start, first_line, delimiter) in [
            (&b"user_id,value\n1,2;3\n"[..], 0, 1, b','),
            (b"\xef\xbb\xbf\r\nuser_id;value\r\n", 3, 1, b';'),
            (b"user_id\tvalue\n", 0, 1, b'\t'),
            (b"user_id", 0, 1, b','),
            (b"sep=;\r\nuser_id,value\n", 7, 2, b';'),
            (b"\r\n\nsep=;\nuser_id\n", 9, 4, b';'),
            (b"user_id\0,value\n", 0, 1, b','),
        ] {
            let csv = CsvFormat { text_start, first_line, delimiter };
            assert_eq!(detect(file), Ok(FileFormat::Csv(csv)), "{file:?}");
        }
    }

    #[test]
    fn detection_needs_the_whole_header_line() {
        assert!(!is_long_enough(b"\xef\xbb\xbf\r\n\r\nuser_id"));
        assert!(is_long_enough(b"\xef\xbb\xbf\r\n\r\nuser_id\r"));
        assert!(is_long_enough(b" [") && is_long_enough(b"PK\x03\x04") && !is_long_enough(b"PK"));
        assert!(!is_long_enough(b"sep=;\r"));
        assert!(!is_long_enough(b"sep=;\nuser_id"));
        assert!(!is_long_enough(b"sep=;\r\n"));
        assert!(is_long_enough(b"\nsep=;\nuser_id\n"));
        assert!(is_long_enough("x".repeat(MAX_DETECTION_BYTES).as_bytes()));
    }

    #[test]
    fn json_and_workbooks_are_detected() {
        for (start, format) in [
            (&b"PK\x03\x04\x14\0"[..], FileFormat::Zip),
            (b"PK\x05\x06", FileFormat::Zip),
            (b" [{\"user_id\": 1}]", FileFormat::Json(JsonLayout::Array)),
            (b"\xef\xbb\xbf{\"user_id\": 1}", FileFormat::Json(JsonLayout::Lines)),
        ] {
            assert_eq!(detect(start), Ok(format));
        }
    }

    #[test]
    fn content_that_is_not_accepted_is_identified() {
        for (start, kind) in [
            (&b"\xd0\xcf\x11\xe0\xa1"[..], ContentKind::OldOffice),
            (b"u\0s\0", ContentKind::Utf16),
            (b"user_id\0\x01", ContentKind::Binary),
        ] {
            assert_eq!(detect(start), Err(FileProblem::WrongKind(kind)));
        }
        assert_eq!(detect(b" \r\n"), Err(FileProblem::Empty));
    }
}
