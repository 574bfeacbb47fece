//! The messages of PostgreSQL's protocol as they pass by in one direction: where each begins and ends, and its kind.

/// A kind and a length.
const HEADER: usize = 5;
/// Of longer messages nobody needs to know the end.
const LONGEST_KEPT: usize = 8 * 1024;

/// `ReadyForQuery`: everything asked before is answered.
pub(super) const READY: u8 = b'Z';
/// `ErrorResponse`.
pub(super) const ERROR: u8 = b'E';
/// `Sync`, which a `ReadyForQuery` answers.
pub(super) const SYNC: u8 = b'S';
/// `Query`, which a `ReadyForQuery` answers.
pub(super) const QUERY: u8 = b'Q';
/// `Terminate`, which nothing answers.
pub(super) const TERMINATE: u8 = b'X';

/// A message that has passed by as a whole.
pub(super) struct Message<'a> {
    pub kind: u8,
    /// What it says, of errors and of what says that the server is ready; empty of any other.
    pub body: &'a [u8],
    /// Where it began in the piece that it ended in: at 0 too if that was in an earlier piece.
    pub start: usize,
}

/// What passes by in one direction, in pieces of any size.
pub(super) struct Frames {
    header: [u8; HEADER],
    header_length: usize,
    body_left: usize,
    /// The body of a message whose content matters.
    body: Vec<u8>,
}

impl Frames {
    /// From a server.
    pub const fn of_server() -> Self {
        Self { header: [0; HEADER], header_length: 0, body_left: 0, body: Vec::new() }
    }

    /// From a client, whose first message has no kind.
    pub fn of_client() -> Self {
        Self { header_length: 1, ..Self::of_server() }
    }

    /// Whether the last piece ended within a message.
    pub const fn is_within_message(&self) -> bool {
        self.header_length > 0
    }

    /// Takes the next piece, and hands on each message that ends in it.
    pub fn pass(&mut self, piece: &[u8], mut on_message: impl FnMut(Message<'_>)) {
        let (mut bytes, mut start) = (piece, 0);
        loop {
            if self.header_length < HEADER {
                let taken = bytes.len().min(HEADER - self.header_length);
                self.header[self.header_length..self.header_length + taken].copy_from_slice(&bytes[..taken]);
                self.header_length += taken;
                bytes = &bytes[taken..];
                if self.header_length < HEADER {
                    return;
                }
                let [_, length @ ..] = self.header;
                // The length counts itself.
                self.body_left = (u32::from_be_bytes(length) as usize).saturating_sub(length.len());
            }
            let kind = self.header[0];
            let (taken, rest) = bytes.split_at(bytes.len().min(self.body_left));
            if matches!(kind, READY | ERROR) && self.body.len() + taken.len() <= LONGEST_KEPT {
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
            start = piece.len() - rest.len();
            if bytes.is_empty() {
                return;
            }
        }
    }
}

/// What an `ErrorResponse` says that ends its connection; of any other error, nothing.
pub(super) fn fatal(body: &[u8]) -> Option<String> {
    let field = |wanted: u8| {
        body.split(|&byte| byte == 0)
            .find_map(|field| field.split_first().filter(|(kind, _)| **kind == wanted))
            .map(|(_, value)| String::from_utf8_lossy(value))
    };
    // The severity as it is in every language.
    matches!(&*field(b'V')?, "FATAL" | "PANIC").then_some(())?;
    Some(format!("{} ({})", field(b'M').unwrap_or_default(), field(b'C').unwrap_or_default()))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message as it passes by.
    pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    proptest! {
        #[test]
        fn messages_are_told_apart_however_they_are_cut(
            kinds in prop::collection::vec((prop::sample::select(b"ZETDCSQ1".as_slice()), 0..40_usize), 0..20),
            cuts in prop::collection::vec(1..30_usize, 1..60),
        ) {
            let expected: Vec<u8> = kinds.iter().map(|(kind, _)| *kind).collect();
            let sent: Vec<u8> = kinds.iter().flat_map(|(kind, length)| message(*kind, &vec![7; *length])).collect();
            let ends: Vec<usize> = std::iter::once(0)
                .chain(kinds.iter().scan(0, |end, (_, length)| { *end += length + HEADER; Some(*end) }))
                .collect();
            let (mut frames, mut seen, mut rest) = (Frames::of_server(), Vec::new(), sent.as_slice());
            for cut in cuts.iter().cycle() {
                let (piece, later) = rest.split_at(rest.len().min(*cut));
                let begun = sent.len() - rest.len();
                frames.pass(piece, |message| {
                    assert!(message.start == 0 || sent[begun + message.start] == message.kind);
                    seen.push(message.kind);
                });
                rest = later;
                prop_assert_eq!(frames.is_within_message(), !ends.contains(&(sent.len() - rest.len())));
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn only_an_error_that_ends_its_connection_is_fatal() {
        let error = |severity: &str| format!("SFATALE\0V{severity}\0C57P01\0Mgone\0\0").into_bytes();
        assert_eq!(fatal(&error("FATAL")).as_deref(), Some("gone (57P01)"));
        assert_eq!(fatal(&error("ERROR")), None);
    }
}
