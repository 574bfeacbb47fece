//! The stream of a connection, which follows the protocol and finds out a server that has fallen silent.
//!
//! A statement may run for as long as it likes, so silence alone means nothing: the server is asked on another
//! connection whether it is still at work. What the system's own time limits find out by themselves needs no question,
//! but they see only the next machine, and that may be a proxy.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use super::address::{Address, Target};
use super::inquiry::{self, Finding, Inquiry};
use super::socket::Socket;
use super::state::{ConnectionState, Received};

/// How often within the time limit a connection is looked at.
const LOOKS: u32 = 4;
/// How often a server may refuse the question, as one does whose password was changed, before the statement counts as
/// lost: a minute with the usual time limit.
const MAX_REFUSALS: u32 = 11;

/// A socket, and what is known of the connection over it.
pub(super) struct MonitoredStream {
    socket: Socket,
    state: Arc<ConnectionState>,
    address: Arc<Address>,
    target: Target,
    looks: Interval,
    inquiry: Option<Inquiry>,
    /// How often in a row the server has refused the question, while it said nothing here.
    refusals: u32,
    /// What the server said before it closed the connection, while what came before that is being read.
    end: Option<String>,
}

impl MonitoredStream {
    /// Follows what goes over this socket.
    pub fn new(socket: Socket, state: Arc<ConnectionState>, address: Arc<Address>, target: Target) -> Self {
        let mut looks = interval(address.timeout / LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { socket, state, address, target, looks, inquiry: None, refusals: 0, end: None }
    }

    /// Ready when the server is found to be gone.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(inquiry) = &mut self.inquiry {
                match ready!(inquiry.as_mut().poll(cx)) {
                    Finding::AtWork => self.refusals = 0,
                    Finding::Refused(_) if self.refusals < MAX_REFUSALS => self.refusals += 1,
                    Finding::Refused(why) | Finding::Lost(why) => {
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
                    }
                }
                self.state.forgive_silence();
                self.inquiry = None;
            }
            ready!(self.looks.poll_tick(cx));
            if let Some(backend) = self.state.silent_backend(self.address.timeout) {
                self.inquiry = Some(inquiry::ask(Arc::clone(&self.address), self.target.clone(), backend));
            }
        }
    }
}

fn ended(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}

impl AsyncRead for MonitoredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(why) = self.end.take() {
            return Poll::Ready(Err(ended(why)));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.socket).poll_read(cx, buf) {
            Poll::Pending => self.poll_silence(cx),
            Poll::Ready(Ok(())) => {
                (self.inquiry, self.refusals) = (None, 0);
                let Received { length, end } = self.state.received(&buf.filled()[before..]);
                match end {
                    // No bytes at all would mean that the connection was closed without a word.
                    Some(why) if length == 0 => return Poll::Ready(Err(ended(why))),
                    end => self.end = end,
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
        // While a question is under way nothing wakes us for the next look, and only reading asks for it.
        if self.inquiry.take().is_some() {
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

/// Hands the library a stream on which everything is agreed already.
pub(super) struct AsItIs;

impl TlsConnect<MonitoredStream> for AsItIs {
    type Stream = MonitoredStream;
    type Error = io::Error;
    type Future = Ready<io::Result<MonitoredStream>>;

    fn connect(self, stream: MonitoredStream) -> Self::Future {
        ready(Ok(stream))
    }
}
