//! The stream of a connection. It follows the protocol and detects a server that has stopped responding.
//!
//! Statements may run for any length of time, so silence alone proves nothing: the server is probed on
//! another connection. Failures that TCP timeouts detect need no probe, but those see only the next hop,
//! which may be a proxy.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use super::address::{Address, Target};
use super::probe::{self, Probe, ProbeResult};
use super::socket::Socket;
use super::state::{ConnectionState, Received};

/// How many times within the time limit a connection is checked for silence.
const CHECKS_PER_TIMEOUT: u32 = 4;
/// How many times in a row a server may reject the probe, for example after a password change, before the
/// statement counts as lost: about a minute with the default time limit.
const MAX_REJECTIONS: u32 = 11;

/// A socket, and the state of the connection over it.
pub(super) struct MonitoredStream {
    socket: Socket,
    state: Arc<ConnectionState>,
    address: Arc<Address>,
    target: Target,
    check_interval: Interval,
    probe: Option<Probe>,
    /// The number of consecutive rejected probes without any bytes received on this connection.
    rejections: u32,
    /// The error with which the server ended the connection, while the bytes before it are being read.
    fatal_error: Option<String>,
}

impl MonitoredStream {
    /// Monitors this socket.
    pub fn new(socket: Socket, state: Arc<ConnectionState>, address: Arc<Address>, target: Target) -> Self {
        let mut check_interval = interval(address.timeout / CHECKS_PER_TIMEOUT);
        check_interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { socket, state, address, target, check_interval, probe: None, rejections: 0, fatal_error: None }
    }

    /// Ready with an error once the server counts as gone.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(probe) = &mut self.probe {
                match ready!(probe.as_mut().poll(cx)) {
                    ProbeResult::Active => self.rejections = 0,
                    ProbeResult::Rejected(_) if self.rejections < MAX_REJECTIONS => self.rejections += 1,
                    ProbeResult::Rejected(reason) | ProbeResult::Lost(reason) => {
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
                    }
                }
                self.state.reset_silence_timer();
                self.probe = None;
            }
            ready!(self.check_interval.poll_tick(cx));
            if let Some(backend) = self.state.silent_backend(self.address.timeout) {
                self.probe = Some(probe::start(Arc::clone(&self.address), self.target.clone(), backend));
            }
        }
    }
}

fn aborted(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, reason)
}

impl AsyncRead for MonitoredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(reason) = self.fatal_error.take() {
            return Poll::Ready(Err(aborted(reason)));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.socket).poll_read(cx, buf) {
            Poll::Pending => self.poll_silence(cx),
            Poll::Ready(Ok(())) => {
                (self.probe, self.rejections) = (None, 0);
                let Received { length, fatal_error } = self.state.received(&buf.filled()[before..]);
                match fatal_error {
                    // Zero bytes would mean that the connection was closed without an error.
                    Some(reason) if length == 0 => return Poll::Ready(Err(aborted(reason))),
                    fatal_error => self.fatal_error = fatal_error,
                }
                buf.set_filled(before + length);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(cause)) => Poll::Ready(Err(cause)),
        }
    }
}

impl AsyncWrite for MonitoredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket).poll_write(cx, buf))?;
        self.state.sent(&buf[..written]);
        // While a probe is in progress nothing wakes this task for the next check, and only reads poll it.
        if self.probe.take().is_some() {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl TlsStream for MonitoredStream {
    fn channel_binding(&self) -> ChannelBinding {
        self.socket.channel_binding()
    }
}

/// Passes tokio-postgres a stream on which TLS has been negotiated already.
pub(super) struct AlreadyNegotiated;

impl TlsConnect<MonitoredStream> for AlreadyNegotiated {
    type Stream = MonitoredStream;
    type Error = io::Error;
    type Future = Ready<io::Result<MonitoredStream>>;

    fn connect(self, stream: MonitoredStream) -> Self::Future {
        ready(Ok(stream))
    }
}
