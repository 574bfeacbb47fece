//! How a connection stands, as its protocol shows: whether a statement is under way, a transaction open, and when the
//! server was last heard.
//!
//! A statement is under way from when its first byte is taken by the system. One that its asker leaves before that is
//! sent all the same, and its connection may be given to somebody else, whose statement then waits for it.
//!
//! COPY FROM STDIN, which nothing here uses, would look as if it never ended: the server ignores one of its two `Sync`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::frames::{self, Frames};

use crate::unpoisoned;

/// Shared by a connection, its stream and the task that moves its messages.
pub(super) struct ConnectionState {
    protocol: Mutex<Protocol>,
    closing: CancellationToken,
}

struct Protocol {
    sent: Frames,
    received: Frames,
    /// Requests that were sent as a whole and that the server has not finished with.
    unanswered: usize,
    /// Whether a request has begun to be sent and is not sent as a whole. It may be larger than what lies between here
    /// and the server, so that it never gets any further.
    is_sending: bool,
    transaction: Transaction,
    heard: Instant,
    /// Since when nothing was sent or received while something is unanswered.
    silent_since: Instant,
    /// The server process, once it is known.
    backend: Option<i32>,
    is_closed: bool,
}

/// What came of a piece that was received.
pub(super) struct Received {
    /// How much of it comes before the end of the connection.
    pub length: usize,
    /// What the server said before it closed the connection.
    pub end: Option<String>,
}

/// What the server last said of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    /// The connection is not signed in yet.
    NotReady,
    /// None is open.
    None,
    /// One is open, whether or not it has failed.
    Open,
}

impl Protocol {
    fn is_busy(&self) -> bool {
        self.unanswered > 0 || self.is_sending
    }
}

impl ConnectionState {
    /// That of a connection that is about to be opened.
    pub fn new() -> Self {
        let now = Instant::now();
        let protocol = Protocol {
            sent: Frames::of_client(),
            received: Frames::of_server(),
            unanswered: 0,
            is_sending: false,
            transaction: Transaction::NotReady,
            heard: now,
            silent_since: now,
            backend: None,
            is_closed: false,
        };
        Self { protocol: Mutex::new(protocol), closing: CancellationToken::new() }
    }

    /// Notes what was sent.
    pub fn sent(&self, bytes: &[u8]) {
        let mut protocol = unpoisoned::lock(&self.protocol);
        let (mut asked, mut is_sending) = (0, protocol.is_sending);
        protocol.sent.pass(bytes, |message| {
            let is_answered = matches!(message.kind, frames::SYNC | frames::QUERY);
            asked += usize::from(is_answered);
            is_sending = !is_answered && message.kind != frames::TERMINATE;
        });
        protocol.unanswered += asked;
        let is_signed_in = protocol.transaction != Transaction::NotReady;
        protocol.is_sending = is_signed_in && (is_sending || protocol.sent.is_within_message());
        protocol.silent_since = Instant::now();
    }

    /// Notes what was received.
    pub fn received(&self, bytes: &[u8]) -> Received {
        let mut protocol = unpoisoned::lock(&self.protocol);
        let (mut answered, mut transaction, mut end) = (0_usize, protocol.transaction, None);
        let is_signed_in = transaction != Transaction::NotReady;
        protocol.received.pass(bytes, |message| match message.kind {
            frames::READY => {
                answered += 1;
                transaction = if message.body == b"I" { Transaction::None } else { Transaction::Open };
            }
            // Whoever signs in is to hear it from the server itself.
            frames::ERROR if is_signed_in && end.is_none() => {
                end = frames::fatal(message.body).map(|why| (message.start, why));
            }
            _ => {}
        });
        // The first time that the server is ready answers the signing in.
        let answered = if is_signed_in { answered } else { answered.saturating_sub(1) };
        protocol.unanswered = protocol.unanswered.saturating_sub(answered);
        protocol.transaction = transaction;
        protocol.heard = Instant::now();
        protocol.silent_since = protocol.heard;
        match end {
            Some((length, why)) => Received { length, end: Some(why) },
            None => Received { length: bytes.len(), end: None },
        }
    }

    /// Notes which process serves the connection.
    pub fn served_by(&self, backend: i32) {
        unpoisoned::lock(&self.protocol).backend = Some(backend);
    }

    /// The process id of the backend, if it has sent and taken nothing for `limit` while a request is unanswered.
    pub fn silent_backend(&self, limit: Duration) -> Option<i32> {
        let protocol = unpoisoned::lock(&self.protocol);
        let is_silent = protocol.is_busy() && protocol.silent_since.elapsed() >= limit;
        protocol.backend.filter(|_| is_silent)
    }

    /// Lets the silence begin anew, since the server is known to be at work.
    pub fn forgive_silence(&self) {
        unpoisoned::lock(&self.protocol).silent_since = Instant::now();
    }

    /// Whether a statement is under way, from its first byte on.
    pub fn is_busy(&self) -> bool {
        unpoisoned::lock(&self.protocol).is_busy()
    }

    /// Whether the connection is open, no statement under way and no transaction open.
    pub fn is_idle(&self) -> bool {
        let protocol = unpoisoned::lock(&self.protocol);
        !protocol.is_closed && !protocol.is_busy() && protocol.transaction == Transaction::None
    }

    /// When the server last said anything.
    pub fn heard(&self) -> Instant {
        unpoisoned::lock(&self.protocol).heard
    }

    /// Closes the connection immediately, even while a statement is running.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Whether that was asked for.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Waits until that is asked for.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Notes that the connection is closed.
    pub fn closed(&self) {
        unpoisoned::lock(&self.protocol).is_closed = true;
    }

    /// Whether the connection is closed.
    pub fn is_closed(&self) -> bool {
        unpoisoned::lock(&self.protocol).is_closed || self.is_closing()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::message;
    use super::*;

    /// A connection that is signed in.
    fn ready() -> ConnectionState {
        let state = ConnectionState::new();
        state.sent(&message(0, b"startup")[1..]);
        state.received(&message(frames::READY, b"I"));
        assert!(state.is_idle() && !state.is_busy());
        state
    }

    #[test]
    fn a_statement_is_under_way_from_its_first_byte_until_its_answer() {
        let statement =
            [message(b'B', &[7; 40]), message(b'E', &[7; 9]), message(frames::SYNC, b"")].concat();
        for cut in 1..statement.len() {
            let state = ready();
            state.sent(&statement[..cut]);
            assert!(state.is_busy(), "{cut}");
            state.sent(&statement[cut..]);
            assert!(state.is_busy(), "{cut}");
            state.received(&message(frames::READY, b"I"));
            assert!(!state.is_busy() && state.is_idle(), "{cut}");
        }
    }

    #[test]
    fn what_was_sent_as_a_whole_and_what_was_not_are_told_apart() {
        let state = ready();
        state.sent(&[message(frames::QUERY, b"1"), message(b'B', b"23")[..4].to_vec()].concat());
        state.received(&message(frames::READY, b"T"));
        assert!(state.is_busy(), "the second one has begun");
        state.sent(&[message(b'B', b"23")[4..].to_vec(), message(frames::SYNC, b"")].concat());
        state.received(&message(frames::READY, b"I"));
        assert!(state.is_idle());
        state.sent(&message(frames::TERMINATE, b""));
        assert!(!state.is_busy(), "nothing answers that");
    }

    #[test]
    fn what_comes_before_the_end_of_the_connection_is_handed_on() {
        let end = message(frames::ERROR, b"SFATAL\0VFATAL\0C57P01\0Mgone\0\0");
        let answer = [message(b'C', b"COMMIT\0"), message(frames::READY, b"I")].concat();
        let whole = [answer.clone(), end.clone()].concat();
        for cut in 0..=whole.len() {
            let state = ready();
            state.sent(&message(frames::QUERY, b"COMMIT\0"));
            let mut handed_on = 0;
            let mut said = None;
            for piece in [&whole[..cut], &whole[cut..]] {
                let Received { length, end } = state.received(piece);
                handed_on += length;
                said = said.or(end);
            }
            assert!(handed_on >= answer.len() && handed_on < whole.len(), "{cut}: {handed_on}");
            assert_eq!(said.as_deref(), Some("gone (57P01)"));
            assert!(!state.is_busy());
        }
    }
}
