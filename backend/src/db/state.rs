//! How a connection stands, as its protocol shows: whether a statement is under way, a transaction open, and when the
//! server was last heard.

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
    /// Requests that the server has not finished with.
    unanswered: usize,
    transaction: Transaction,
    heard: Instant,
    /// Since when the server has said nothing while something is unanswered.
    silent_since: Instant,
    /// The server process, once it is known.
    backend: Option<i32>,
    is_closed: bool,
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

impl ConnectionState {
    /// That of a connection that is about to be opened.
    pub fn new() -> Self {
        let now = Instant::now();
        let protocol = Protocol {
            sent: Frames::of_client(),
            received: Frames::of_server(),
            unanswered: 0,
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
        let mut asked = 0;
        protocol.sent.pass(bytes, |kind, _| {
            if matches!(kind, frames::SYNC | frames::QUERY) {
                asked += 1;
            }
        });
        if protocol.unanswered == 0 && asked > 0 {
            protocol.silent_since = Instant::now();
        }
        protocol.unanswered += asked;
    }

    /// Notes what was received. An error is what the server said before it closed the connection.
    pub fn received(&self, bytes: &[u8]) -> Result<(), String> {
        let mut protocol = unpoisoned::lock(&self.protocol);
        let (mut answered, mut transaction, mut fatal) = (0_usize, protocol.transaction, None);
        let is_signed_in = transaction != Transaction::NotReady;
        protocol.received.pass(bytes, |kind, body| match kind {
            frames::READY => {
                answered += 1;
                transaction = if body == b"I" { Transaction::None } else { Transaction::Open };
            }
            // Whoever signs in is to hear it from the server itself.
            frames::ERROR if is_signed_in => fatal = frames::fatal(body),
            _ => {}
        });
        // The first time that the server is ready answers the signing in.
        let answered = if is_signed_in { answered } else { answered.saturating_sub(1) };
        protocol.unanswered = protocol.unanswered.saturating_sub(answered);
        protocol.transaction = transaction;
        protocol.heard = Instant::now();
        protocol.silent_since = protocol.heard;
        fatal.map_or(Ok(()), Err)
    }

    /// Notes which process serves the connection.
    pub fn served_by(&self, backend: i32) {
        unpoisoned::lock(&self.protocol).backend = Some(backend);
    }

    /// The process id of the backend, if it has sent nothing for `limit` while a request is unanswered.
    pub fn silent_backend(&self, limit: Duration) -> Option<i32> {
        let protocol = unpoisoned::lock(&self.protocol);
        let is_silent = protocol.unanswered > 0 && protocol.silent_since.elapsed() >= limit;
        protocol.backend.filter(|_| is_silent)
    }

    /// Lets the silence begin anew, since the server is known to be at work.
    pub fn forgive_silence(&self) {
        unpoisoned::lock(&self.protocol).silent_since = Instant::now();
    }

    /// Whether a statement is under way.
    pub fn is_busy(&self) -> bool {
        unpoisoned::lock(&self.protocol).unanswered > 0
    }

    /// Whether the connection is open, no statement under way and no transaction open.
    pub fn is_idle(&self) -> bool {
        let protocol = unpoisoned::lock(&self.protocol);
        !protocol.is_closed && protocol.unanswered == 0 && protocol.transaction == Transaction::None
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
