//! Parses the stream of PostgreSQL protocol messages in one direction: their kinds and boundaries.

/// The kind (one byte) and the length (four bytes) of a message.
const HEADER_LENGTH: usize = 5;
/// Bodies longer than this many bytes are not kept.
const MAX_BODY_LENGTH: usize = 8 * 1024;

/// `ReadyForQuery`: all requests before it have been answered.
pub(super) const READY_FOR_QUERY: u8 = b'Z';
/// `CopyInResponse`: the server is ready to receive rows.
pub(super) const COPY_IN_RESPONSE: u8 = b'G';
/// Ends the rows of a COPY.
pub(super) const COPY_DONE: u8 = b'c';
/// Ends a COPY with an error.
pub(super) const COPY_FAIL: u8 = b'f';
/// `ErrorResponse`.
pub(super) const ERROR_RESPONSE: u8 = b'E';
/// `Sync`: answered by a `ReadyForQuery`.
pub(super) const SYNC: u8 = b'S';
/// `Query`: answered by a `ReadyForQuery`.
pub(super) const QUERY: u8 = b'Q';
/// `Terminate`: not answered.
pub(super) const TERMINATE: u8 = b'X';

/// A complete message.
pub(super) struct Message<'a> {
    pub kind: u8,
    /// The body of an `ErrorResponse` or `ReadyForQuery`; empty for other kinds.
    pub body: &'a [u8],
    /// Where the message starts in the chunk in which it ends; 0 if it started in an earlier chunk.
    pub start: usize,
}

/// Finds the message boundaries in a byte stream that arrives in chunks of any size.
pub(super) struct FrameParser {
    header: [u8; HEADER_LENGTH],
    header_length: usize,
    body_left: usize,
    /// The body so far, if its kind is kept.
    body: Vec<u8>,
}

impl FrameParser {
    /// A parser for what a server sends.
    pub const fn for_server() -> Self {
        Self { header: [0; HEADER_LENGTH], header_length: 0, body_left: 0, body: Vec::new() }
    }

    /// A parser for what a client sends. The client's first message has no kind.
    pub fn for_client() -> Self {
        Self { header_length: 1, ..Self::for_server() }
    }

    /// Whether the last chunk ended in the middle of a message.
    pub const fn is_within_message(&self) -> bool {
        self.header_length > 0
    }

    /// Parses the next chunk and calls `on_message` for each message that ends in it.
    pub fn feed(&mut self, chunk: &[u8], mut on_message: impl FnMut(Message<'_>)) {
        let (mut bytes, mut start) = (chunk, 0);
        loop {
            if self.header_length < HEADER_LENGTH {
                let taken = bytes.len().min(HEADER_LENGTH - self.header_length);
                self.header[self.header_length..self.header_length + taken].copy_from_slice(&bytes[..taken]);
                self.header_length += taken;
                bytes = &bytes[taken..];
                if self.header_length < HEADER_LENGTH {
                    return;
                }
                let [_, length @ ..] = self.header;
                // The length includes its own four bytes.
                self.body_left = (u32::from_be_bytes(length) as usize).saturating_sub(length.len());
            }
            let kind = self.header[0];
            let (taken, rest) = bytes.split_at(bytes.len().min(self.body_left));
            if matches!(kind, READY_FOR_QUERY | ERROR_RESPONSE)
                && self.body.len() + taken.len() <= MAX_BODY_LENGTH
            {
                self.body.extend_from_slice(taken);
            }
            self.body_left -= taken.len();
            if self.body_left > 0 {
                return;
            }
            on_message(Message { kind, body: &self.body, start });
            self.body.clear();
            self.header_length = 0;
            bytes = rest;
            start = chunk.len() - rest.len();
            if bytes.is_empty() {
                return;
            }
        }
    }
}

/// The message and code of an `ErrorResponse` that ends the connection; `None` for other errors.
pub(super) fn fatal_error(body: &[u8]) -> Option<String> {
    let field = |wanted: u8| {
        body.split(|&byte| byte == 0)
            .find_map(|field| field.split_first().filter(|(kind, _)| **kind == wanted))
            .map(|(_, value)| String::from_utf8_lossy(value))
    };
    // The `V` field holds the severity, not localized.
    matches!(&*field(b'V')?, "FATAL" | "PANIC").then_some(())?;
    Some(format!("{} ({})", field(b'M').unwrap_or_default(), field(b'C').unwrap_or_default()))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encodes a message.
    pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    proptest! {
        #[test]
        fn messages_are_found_however_the_stream_is_chunked(
            kinds in prop::collection::vec((prop::sample::select(b"ZETDCSQ1".as_slice()), 0..40_usize), 0..20),
            chunk_sizes in prop::collection::vec(1..30_usize, 1..60),
        ) {
            let expected: Vec<u8> = kinds.iter().map(|(kind, _)| *kind).collect();
            let sent: Vec<u8> =
                kinds.iter().flat_map(|(kind, length)| message(*kind, &vec![7; *length])).collect();
            let ends: Vec<usize> = std::iter::once(0)
                .chain(kinds.iter().scan(0, |end, (_, length)| {
                    *end += length + HEADER_LENGTH;
                    Some(*end)
                }))
                .collect();
            let (mut parser, mut seen, mut rest) = (FrameParser::for_server(), Vec::new(), sent.as_slice());
            for size in chunk_sizes.iter().cycle() {
                let (chunk, later) = rest.split_at(rest.len().min(*size));
                let chunk_start = sent.len() - rest.len();
                parser.feed(chunk, |message| {
                    assert!(message.start == 0 || sent[chunk_start + message.start] == message.kind);
                    seen.push(message.kind);
                });
                rest = later;
                prop_assert_eq!(parser.is_within_message(), !ends.contains(&(sent.len() - rest.len())));
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn only_an_error_that_ends_the_connection_is_fatal() {
        let error = |severity: &str| format!("SFATALE\0V{severity}\0C57P01\0Mgone\0\0").into_bytes();
        assert_eq!(fatal_error(&error("FATAL")).as_deref(), Some("gone (57P01)"));
        assert_eq!(fatal_error(&error("ERROR")), None);
    }
}
