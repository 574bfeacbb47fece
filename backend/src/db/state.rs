//! The state of a connection, derived from its protocol messages: whether a statement is running, whether a
//! transaction is open, and when the server last sent something.
//!
//! A statement counts as running as soon as the operating system accepts its first byte. A statement whose
//! caller gives up before that is sent all the same, and the connection may go to another caller, whose
//! statement then waits for it.
//!
//! COPY FROM STDIN has two `Sync` messages: one after the statement, which the server ignores as soon as it is
//! ready to receive rows, and one after the rows. The first one may be sent before or after the server says so.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::frames::{self, FrameParser};

/// Shared by a connection, its stream and the task that drives it.
pub(super) struct ConnectionState {
    protocol: Mutex<Protocol>,
    closing: CancellationToken,
}

struct Protocol {
    sent: FrameParser,
    received: FrameParser,
    /// Requests that were sent completely and not answered yet.
    pending_requests: usize,
    copy: CopyState,
    /// Whether a request has been sent in part. If it is larger than the buffers between here and the server,
    /// it may never be sent completely.
    is_sending: bool,
    transaction: TransactionStatus,
    last_received: Instant,
    /// When bytes were last sent or received.
    last_activity: Instant,
    /// The process id of the backend, once it is known.
    backend: Option<i32>,
    is_closed: bool,
}

/// What a received chunk contained.
pub(super) struct Received {
    /// The number of bytes before the error that ends the connection.
    pub length: usize,
    /// The error with which the server ends the connection.
    pub fatal_error: Option<String>,
}

/// The transaction status that the server last reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TransactionStatus {
    /// The connection is not authenticated yet.
    NotReady,
    /// No transaction is open.
    None,
    /// A transaction is open, failed or not.
    Open,
}

/// The progress of COPY FROM STDIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CopyState {
    /// There is none.
    None,
    /// The server receives rows.
    Rows,
    /// The client has ended the rows.
    Ended,
}

impl Protocol {
    fn is_busy(&self) -> bool {
        self.pending_requests > 0 || self.is_sending || self.copy != CopyState::None
    }
}

impl ConnectionState {
    /// The state of a connection that is about to be opened.
    pub fn new() -> Self {
        let now = Instant::now();
        let protocol = Protocol {
            sent: FrameParser::for_client(),
            received: FrameParser::for_server(),
            pending_requests: 0,
            copy: CopyState::None,
            is_sending: false,
            transaction: TransactionStatus::NotReady,
            last_received: now,
            last_activity: now,
            backend: None,
            is_closed: false,
        };
        Self { protocol: Mutex::new(protocol), closing: CancellationToken::new() }
    }

    /// Processes sent bytes.
    pub fn sent(&self, bytes: &[u8]) {
        let mut protocol = self.protocol.lock();
        let (mut requests, mut is_sending, mut copy) = (0, protocol.is_sending, protocol.copy);
        protocol.sent.feed(bytes, |message| {
            let ends_request = matches!(message.kind, frames::SYNC | frames::QUERY);
            // The server ignores `Sync` until the rows have ended.
            requests += usize::from(ends_request && copy != CopyState::Rows);
            is_sending = !ends_request && message.kind != frames::TERMINATE;
            if copy == CopyState::Rows && matches!(message.kind, frames::COPY_DONE | frames::COPY_FAIL) {
                copy = CopyState::Ended;
            }
        });
        protocol.pending_requests += requests;
        protocol.copy = copy;
        let is_signed_in = protocol.transaction != TransactionStatus::NotReady;
        protocol.is_sending = is_signed_in && (is_sending || protocol.sent.is_within_message());
        protocol.last_activity = Instant::now();
    }

    /// Processes received bytes.
    pub fn received(&self, bytes: &[u8]) -> Received {
        let mut protocol = self.protocol.lock();
        let (mut answered, mut transaction, mut fatal_error) = (0_usize, protocol.transaction, None);
        let mut copy = protocol.copy;
        let is_signed_in = transaction != TransactionStatus::NotReady;
        protocol.received.feed(bytes, |message| match message.kind {
            frames::READY_FOR_QUERY => {
                answered += 1;
                copy = CopyState::None;
                transaction =
                    if message.body == b"I" { TransactionStatus::None } else { TransactionStatus::Open };
            }
            frames::COPY_IN_RESPONSE => {
                // Its `Sync`, if that was sent.
                answered += 1;
                copy = CopyState::Rows;
            }
            // During authentication the caller should get the error itself.
            frames::ERROR_RESPONSE if is_signed_in && fatal_error.is_none() => {
                fatal_error = frames::fatal_error(message.body).map(|reason| (message.start, reason));
            }
            _ => {}
        });
        // The first `ReadyForQuery` answers the authentication.
        let answered = if is_signed_in { answered } else { answered.saturating_sub(1) };
        protocol.pending_requests = protocol.pending_requests.saturating_sub(answered);
        protocol.copy = copy;
        protocol.transaction = transaction;
        protocol.last_received = Instant::now();
        protocol.last_activity = protocol.last_received;
        match fatal_error {
            Some((length, reason)) => Received { length, fatal_error: Some(reason) },
            None => Received { length: bytes.len(), fatal_error: None },
        }
    }

    /// Records the process id of the backend.
    pub fn set_backend(&self, backend: i32) {
        self.protocol.lock().backend = Some(backend);
    }

    /// The process id of the backend, if nothing was sent or received for `limit` while a request is pending.
    pub fn silent_backend(&self, limit: Duration) -> Option<i32> {
        let protocol = self.protocol.lock();
        let is_silent = protocol.is_busy() && protocol.last_activity.elapsed() >= limit;
        protocol.backend.filter(|_| is_silent)
    }

    /// Restarts the silence timer, because the server is known to be working.
    pub fn reset_silence_timer(&self) {
        self.protocol.lock().last_activity = Instant::now();
    }

    /// Whether a statement is running, counted from its first byte.
    pub fn is_busy(&self) -> bool {
        self.protocol.lock().is_busy()
    }

    /// Whether the connection is open, with no running statement and no open transaction.
    pub fn is_idle(&self) -> bool {
        let protocol = self.protocol.lock();
        !protocol.is_closed && !protocol.is_busy() && protocol.transaction == TransactionStatus::None
    }

    /// When the last bytes from the server arrived.
    pub fn last_received(&self) -> Instant {
        self.protocol.lock().last_received
    }

    /// Closes the connection immediately, even while a statement is running.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Whether [`Self::close`] was called.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Waits until [`Self::close`] is called.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Records that the connection is closed.
    pub fn mark_closed(&self) {
        self.protocol.lock().is_closed = true;
    }

    /// Whether the connection is closed or closing.
    pub fn is_closed(&self) -> bool {
        self.protocol.lock().is_closed || self.is_closing()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::message;
    use super::*;

    /// An authenticated connection.
    fn ready() -> ConnectionState {
        let state = ConnectionState::new();
        state.sent(&message(0, b"startup")[1..]);
        state.received(&message(frames::READY_FOR_QUERY, b"I"));
        assert!(state.is_idle() && !state.is_busy());
        state
    }

    #[test]
    fn a_statement_is_running_from_its_first_byte_to_its_response() {
        let statement =
            [message(b'B', &[7; 40]), message(b'E', &[7; 9]), message(frames::SYNC, b"")].concat();
        for split in 1..statement.len() {
            let state = ready();
            state.sent(&statement[..split]);
            assert!(state.is_busy(), "{split}");
            state.sent(&statement[split..]);
            assert!(state.is_busy(), "{split}");
            state.received(&message(frames::READY_FOR_QUERY, b"I"));
            assert!(!state.is_busy() && state.is_idle(), "{split}");
        }
    }

    #[test]
    fn a_partly_sent_request_keeps_the_connection_busy() {
        let state = ready();
        state.sent(&[message(frames::QUERY, b"1"), message(b'B', b"23")[..4].to_vec()].concat());
        state.received(&message(frames::READY_FOR_QUERY, b"T"));
        assert!(state.is_busy(), "the second request has started");
        state.sent(&[message(b'B', b"23")[4..].to_vec(), message(frames::SYNC, b"")].concat());
        state.received(&message(frames::READY_FOR_QUERY, b"I"));
        assert!(state.is_idle());
        state.sent(&message(frames::TERMINATE, b""));
        assert!(!state.is_busy(), "Terminate is not answered");
    }

    #[test]
    fn copying_is_busy_until_the_last_response() {
        let statement = [message(b'B', b"1"), message(b'E', b"2")].concat();
        let sync = message(frames::SYNC, b"");
        let whole = [statement.clone(), sync.clone()].concat();
        let rows = [message(b'd', b"rows"), message(frames::COPY_DONE, b""), sync].concat();
        let answer = [message(b'C', b"COPY 1\0"), message(frames::READY_FOR_QUERY, b"T")].concat();
        // The server may be ready for rows as soon as it has the statement.
        for ready_at in statement.len()..=whole.len() {
            for split in 0..=rows.len() {
                let state = ready();
                state.sent(&whole[..ready_at]);
                state
                    .received(&[message(b'2', b""), message(frames::COPY_IN_RESPONSE, b"\x01\0\0")].concat());
                state.sent(&whole[ready_at..]);
                assert!(state.is_busy(), "the server waits for rows ({ready_at}, {split})");
                state.sent(&rows[..split]);
                assert!(state.is_busy(), "{ready_at}, {split}");
                state.sent(&rows[split..]);
                assert!(state.is_busy(), "the server has not answered ({ready_at}, {split})");
                state.received(&answer);
                assert!(
                    !state.is_busy() && !state.is_idle(),
                    "the transaction is open ({ready_at}, {split})"
                );
            }
        }
    }

    #[test]
    fn a_copy_that_is_refused_at_once_ends_with_its_own_response() {
        let state = ready();
        state.sent(&[message(b'B', b"1"), message(b'E', b"2"), message(frames::SYNC, b"")].concat());
        state.received(
            &[message(b'E', b"SERROR\0VERROR\0\0"), message(frames::READY_FOR_QUERY, b"I")].concat(),
        );
        // The client library ends every COPY, even if it never began.
        state.sent(&[message(b'f', b"\0"), message(frames::SYNC, b"")].concat());
        assert!(state.is_busy());
        state.received(&message(frames::READY_FOR_QUERY, b"I"));
        assert!(state.is_idle());
    }

    #[test]
    fn responses_before_a_fatal_error_are_delivered() {
        let fatal_error = message(frames::ERROR_RESPONSE, b"SFATAL\0VFATAL\0C57P01\0Mgone\0\0");
        let answer = [message(b'C', b"COMMIT\0"), message(frames::READY_FOR_QUERY, b"I")].concat();
        let whole = [answer.clone(), fatal_error.clone()].concat();
        for split in 0..=whole.len() {
            let state = ready();
            state.sent(&message(frames::QUERY, b"COMMIT\0"));
            let mut delivered = 0;
            let mut error = None;
            for chunk in [&whole[..split], &whole[split..]] {
                let Received { length, fatal_error } = state.received(chunk);
                delivered += length;
                error = error.or(fatal_error);
            }
            assert!(delivered >= answer.len() && delivered < whole.len(), "{split}: {delivered}");
            assert_eq!(error.as_deref(), Some("gone (57P01)"));
            assert!(!state.is_busy());
        }
    }
}
