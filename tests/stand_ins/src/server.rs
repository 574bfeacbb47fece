//! Listening, and what a listener does when its service is to be out of reach.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
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
    let mut listener = Some(listener);
    loop {
        let is_wanted = wanted.borrow_and_update().open;
        match (&listener, is_wanted) {
            (None, true) => listener = Some(listen_again(address).await?),
            (Some(_), false) => listener = None,
            (Some(_), true) | (None, false) => {}
        }
        gate.is_open.send_replace(listener.is_some());
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

async fn accept(listener: Option<&TcpListener>) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Takes the port back; nobody else can have it for long, since the system gives it to no one who asks for any port
/// while connections of it are remembered.
async fn listen_again(address: SocketAddr) -> io::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if tries == 50 => return Err(error),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Ok(listener) => return Ok(listener),
        }
        tries += 1;
    }
}
