//! Listening, and what a listener does when its service is to be out of reach.

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

/// Serves one of the services until the task is dropped, and its connections with it. Its port is open at first.
pub(crate) async fn serve(
    (port, listener): (Port, TcpListener),
    service: Service,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let gate = shared.gate(service);
    let mut wanted = gate.wanted.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let now_wanted = *wanted.borrow_and_update();
        listener = match listener {
            None if now_wanted.open => Some(port.listen()?),
            Some(_) if !now_wanted.open => None,
            as_wanted => as_wanted,
        };
        gate.carried_out.send_replace(now_wanted.changes);
        tokio::select! {
            accepted = accept(listener.as_ref()) => {
                if let Ok((stream, peer)) = accepted {
                    connections.spawn(connection::run(stream, peer.ip(), service, Arc::clone(&shared)));
                }
            }
            changed = wanted.changed() => {
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

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port of ours. It is kept, so that nobody else gets it, whether somebody listens or not: where nobody does, who
/// connects is refused.
pub(crate) struct Port(TcpSocket);

impl Port {
    /// Takes this port, or any where it is 0, unless somebody else has it, and listens.
    pub(crate) async fn take(address: SocketAddr) -> io::Result<(Self, TcpListener)> {
        drop(TcpListener::bind(address).await?);
        let port = Self::keep(address)?;
        let listener = port.listen()?;
        Ok((port, listener))
    }

    fn keep(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // For our own listeners, and connections that they accepted. Not by SO_REUSEADDR: with that anybody may be given the
        // port while nobody listens.
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn listen(&self) -> io::Result<TcpListener> {
        Self::keep(self.address()?)?.0.listen(BACKLOG)
    }
}
