//! Detects the type of a file from its first bytes, never from its name.

use super::file_problem::{ContentKind, FileProblem};

/// The format of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    /// Where the text starts: after the byte order mark, if there is one.
    pub text_start: usize,
    pub delimiter: u8,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first bytes of content that is not accepted.
const SIGNATURES: &[(&[u8], ContentKind)] = &[
    (b"PK\x03\x04", ContentKind::Zip),
    (b"PK\x05\x06", ContentKind::Zip),
    (b"\xd0\xcf\x11\xe0", ContentKind::OldOffice),
    (b"%PDF-", ContentKind::Pdf),
    (b"\x1f\x8b", ContentKind::Gzip),
    (b"\xff\xfe", ContentKind::Utf16),
    (b"\xfe\xff", ContentKind::Utf16),
];

/// The maximum number of bytes needed to detect the type of a file, without leading blank lines.
const MAX_DETECTION_BYTES: usize = 64 << 10;

/// Whether the start of a file is long enough to detect its type: it contains the whole header line.
pub fn is_long_enough(start: &[u8]) -> bool {
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start).trim_ascii_start();
    text.contains(&b'\n') || text.contains(&b'\r') || text.len() >= MAX_DETECTION_BYTES
}

/// Detects the format of a CSV file from its start. Returns an error for other content.
pub fn detect(start: &[u8]) -> Result<CsvFormat, FileProblem> {
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Err(FileProblem::WrongKind(*kind));
    }
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    if text.contains(&0) {
        return Err(FileProblem::WrongKind(ContentKind::Binary));
    }
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(FileProblem::Empty),
        Some(b'[') => Err(FileProblem::WrongKind(ContentKind::JsonArray)),
        Some(b'{') => Err(FileProblem::WrongKind(ContentKind::JsonObjects)),
        Some(_) => Ok(CsvFormat { text_start: start.len() - text.len(), delimiter: delimiter(text) }),
    }
}

/// The delimiter that occurs more often in the header. No column name contains either one.
fn delimiter(text: &[u8]) -> u8 {
    let text = text.trim_ascii_start();
    let header = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or(text);
    let count = |delimiter| header.split(|byte| *byte == delimiter).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_detected_from_the_header() {
        assert_eq!(detect(b"user_id,value\n1,2;3\n"), Ok(CsvFormat { text_start: 0, delimiter: b',' }));
        assert_eq!(
            detect(b"\xef\xbb\xbf\r\nuser_id;value\r\n"),
            Ok(CsvFormat { text_start: 3, delimiter: b';' })
        );
        assert_eq!(detect(b"user_id"), Ok(CsvFormat { text_start: 0, delimiter: b',' }));
    }

    #[test]
    fn detection_needs_the_whole_header_line() {
        assert!(!is_long_enough(b"\xef\xbb\xbf\r\n\r\nuser_id"));
        assert!(is_long_enough(b"\xef\xbb\xbf\r\n\r\nuser_id\r"));
        assert!(is_long_enough("x".repeat(MAX_DETECTION_BYTES).as_bytes()));
    }

    #[test]
    fn content_that_is_not_csv_is_identified() {
        for (start, kind) in [
            (&b"PK\x03\x04\x14\0"[..], ContentKind::Zip),
            (b"\xd0\xcf\x11\xe0\xa1", ContentKind::OldOffice),
            (b"\xff\xfeu\0s\0", ContentKind::Utf16),
            (b" [{\"user_id\": 1}]", ContentKind::JsonArray),
            (b"\xef\xbb\xbf{\"user_id\": 1}", ContentKind::JsonObjects),
            (b"user_id\0", ContentKind::Binary),
        ] {
            assert_eq!(detect(start), Err(FileProblem::WrongKind(kind)));
        }
        assert_eq!(detect(b" \r\n"), Err(FileProblem::Empty));
    }
}
