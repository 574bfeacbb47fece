//! What a file is, by its first bytes and never by its name.

use super::file_problem::{FileProblem, Kind};

/// How a CSV file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csv {
    /// Where the text begins: behind a byte order mark, if there is one.
    pub begin: usize,
    /// What stands between cells.
    pub delimiter: u8,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How the kinds that are not taken begin.
const SIGNATURES: &[(&[u8], Kind)] = &[
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\xd0\xcf\x11\xe0", Kind::OldOffice),
    (b"%PDF-", Kind::Pdf),
    (b"\x1f\x8b", Kind::Gzip),
    (b"\xff\xfe", Kind::Utf16),
    (b"\xfe\xff", Kind::Utf16),
];

/// A file is recognised by so much of it at most, in bytes, without the blank lines that it begins with.
const START_BYTES: usize = 64 << 10;

/// Whether the beginning of a file is long enough to recognise it by: its header line has come to its end.
pub fn is_enough(start: &[u8]) -> bool {
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start).trim_ascii_start();
    text.contains(&b'\n') || text.contains(&b'\r') || text.len() >= START_BYTES
}

/// Recognises a CSV file by how it begins.
pub fn recognise(start: &[u8]) -> Result<Csv, FileProblem> {
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Err(FileProblem::WrongKind(*kind));
    }
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    if text.contains(&0) {
        return Err(FileProblem::WrongKind(Kind::Binary));
    }
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(FileProblem::Empty),
        Some(b'[') => Err(FileProblem::WrongKind(Kind::JsonArray)),
        Some(b'{') => Err(FileProblem::WrongKind(Kind::JsonObjects)),
        Some(_) => Ok(Csv { begin: start.len() - text.len(), delimiter: delimiter(text) }),
    }
}

/// The separator that the header has more of; no name of a column holds either.
fn delimiter(text: &[u8]) -> u8 {
    let text = text.trim_ascii_start();
    let header = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or(text);
    let count = |separator| header.split(|byte| *byte == separator).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_separator() {
        assert_eq!(recognise(b"user_id,value\n1,2;3\n"), Ok(Csv { begin: 0, delimiter: b',' }));
        assert_eq!(recognise(b"\xef\xbb\xbf\r\nuser_id;value\r\n"), Ok(Csv { begin: 3, delimiter: b';' }));
        assert_eq!(recognise(b"user_id"), Ok(Csv { begin: 0, delimiter: b',' }));
    }

    #[test]
    fn a_beginning_is_enough_with_the_header_line() {
        assert!(!is_enough(b"\xef\xbb\xbf\r\n\r\nuser_id"));
        assert!(is_enough(b"\xef\xbb\xbf\r\n\r\nuser_id\r"));
        assert!(is_enough("x".repeat(START_BYTES).as_bytes()));
    }

    #[test]
    fn what_is_no_csv_is_called_by_its_name() {
        for (start, kind) in [
            (&b"PK\x03\x04\x14\0"[..], Kind::Zip),
            (b"\xd0\xcf\x11\xe0\xa1", Kind::OldOffice),
            (b"\xff\xfeu\0s\0", Kind::Utf16),
            (b" [{\"user_id\": 1}]", Kind::JsonArray),
            (b"\xef\xbb\xbf{\"user_id\": 1}", Kind::JsonObjects),
            (b"user_id\0", Kind::Binary),
        ] {
            assert_eq!(recognise(start), Err(FileProblem::WrongKind(kind)));
        }
        assert_eq!(recognise(b" \r\n"), Err(FileProblem::Empty));
    }
}
