//! The sockets of database connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::ChannelBinding;
use tokio_rustls::client::TlsStream;

use super::address::{Address, Target};
use super::channel_binding;
use super::connect_error::ConnectError;

/// An open socket.
pub(super) enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Socket {
    /// Connects with the socket options and TLS settings of the address.
    pub async fn connect(address: &Address, target: &Target) -> Result<Self, ConnectError> {
        match target {
            Target::Unix(path) => {
                Ok(Self::Unix(UnixStream::connect(path).await.map_err(ConnectError::Unreachable)?))
            }
            Target::Tcp { address: target, name } => {
                let stream = open(address, *target).await.map_err(ConnectError::Unreachable)?;
                match &address.tls {
                    Some(tls) => tls.negotiate(stream, name).await,
                    None => Ok(Self::Tcp(stream)),
                }
            }
        }
    }

    /// The channel binding data for authentication.
    pub fn channel_binding(&self) -> ChannelBinding {
        let Self::Tls(stream) = self else { return ChannelBinding::none() };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        match certificates.first().and_then(|certificate| channel_binding::certificate_hash(certificate)) {
            Some(hash) => ChannelBinding::tls_server_end_point(hash),
            None => ChannelBinding::none(),
        }
    }
}

async fn open(address: &Address, target: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    set_tcp_timeouts(&stream, address)?;
    Ok(stream)
}

/// Lets the operating system detect that the other machine is gone.
fn set_tcp_timeouts(stream: &TcpStream, address: &Address) -> io::Result<()> {
    let (socket, config) = (SockRef::from(stream), &address.config);
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(config.get_tcp_user_timeout().copied())?;
    if config.get_keepalives() {
        let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
