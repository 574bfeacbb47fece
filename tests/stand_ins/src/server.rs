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

/// Serves one of the services until the task is dropped, and its connections with it.
pub(crate) async fn serve(listener: TcpListener, service: Service, shared: Arc<Shared>) -> io::Result<()> {
    let address = listener.local_addr()?;
    let gate = shared.gate(service);
    let mut wanted = gate.wanted.subscribe();
    let mut connections = JoinSet::new();
    let mut door = Door::Open(listener);
    loop {
        let is_wanted = wanted.borrow_and_update().open;
        door = match door {
            Door::Open(listener) if !is_wanted => {
                drop(listener);
                Door::Closed(reserved(address)?)
            }
            Door::Closed(socket) if is_wanted => Door::Open(socket.listen(BACKLOG)?),
            as_wanted @ (Door::Open(_) | Door::Closed(_)) => as_wanted,
        };
        gate.is_open.send_replace(is_wanted);
        tokio::select! {
            accepted = door.accept() => {
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

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port of ours.
enum Door {
    Open(TcpListener),
    /// It is kept, so that nobody else gets it, but nobody listens: who connects is refused.
    Closed(TcpSocket),
}

impl Door {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Self::Open(listener) => listener.accept().await,
            Self::Closed(_) => std::future::pending().await,
        }
    }
}

fn reserved(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections that were accepted before still have the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
