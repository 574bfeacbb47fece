//! The listener of a service, whose port can be closed and opened again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::journal::Service;
use crate::shared::Shared;

mod connection;
mod content;
mod exchange;

/// Serves a service until the task is dropped, which closes its connections too. The port is open at first.
pub(crate) async fn serve(
    (port, listener): (Port, TcpListener),
    service: Service,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let port_control = shared.port_control(service);
    let mut desired = port_control.desired.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let state = *desired.borrow_and_update();
        listener = match listener {
            None if state.open => Some(port.listen()?),
            Some(_) if !state.open => None,
            unchanged => unchanged,
        };
        port_control.applied.send_replace(state.changes);
        tokio::select! {
            accepted = accept(listener.as_ref()) => {
                if let Ok((stream, peer)) = accepted {
                    connections.spawn(connection::run(stream, peer.ip(), service, Arc::clone(&shared)));
                }
            }
            changed = desired.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A reserved port. No other process can get it, even while it is closed. Connections to a closed port are
/// refused.
pub(crate) struct Port(TcpSocket);

impl Port {
    /// Reserves this port, or any free port if it is 0, and listens on it. Fails if another process has the
    /// port.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<(Self, TcpListener)> {
        drop(TcpListener::bind(address).await?);
        let port = Self::reserve(address)?;
        let listener = port.listen()?;
        Ok((port, listener))
    }

    fn reserve(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // For our own listeners and the connections that they accepted. With SO_REUSEADDR instead, another
        // process could get the port while it is closed.
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn listen(&self) -> io::Result<TcpListener> {
        Self::reserve(self.address()?)?.0.listen(BACKLOG)
    }
}
