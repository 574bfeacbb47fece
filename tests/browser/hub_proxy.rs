//! A TCP proxy to the hub that can drop its connections or stop forwarding. The browser's emulated network
//! conditions do not affect connections that are already open.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyState {
    /// It forwards everything.
    Forwarding,
    /// It keeps connections open and forwards nothing.
    Silent,
    /// It closes all connections, including new ones.
    Disconnected,
}

/// A proxy. Dropping it closes its connections.
pub struct HubProxy {
    address: SocketAddr,
    state: watch::Sender<ProxyState>,
    accept_task: JoinHandle<()>,
}

impl HubProxy {
    /// Starts a proxy to a hub at a URL such as `http://127.0.0.1:40123`.
    pub async fn start(url: &str) -> Self {
        let hub: SocketAddr =
            url.trim_start_matches("http://").parse().expect("the URL has a socket address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let (state, receiver) = watch::channel(ProxyState::Forwarding);
        let accept_task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward_connection(client, hub, receiver.clone()));
            }
        });
        Self { address, state, accept_task }
    }

    /// The URL of the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets what the proxy does from now on.
    pub fn set_state(&self, state: ProxyState) {
        self.state.send_replace(state);
    }
}

impl Drop for HubProxy {
    fn drop(&mut self) {
        self.accept_task.abort();
    }
}

/// Forwards one connection until it ends or the proxy disconnects.
async fn forward_connection(client: TcpStream, hub: SocketAddr, mut state: watch::Receiver<ProxyState>) {
    let forwarding = {
        let state = state.clone();
        async move {
            let hub = TcpStream::connect(hub).await.expect("the hub listens");
            let ((from_client, to_client), (from_hub, to_hub)) = (client.into_split(), hub.into_split());
            tokio::join!(forward(from_client, to_hub, state.clone()), forward(from_hub, to_client, state));
        }
    };
    tokio::select! {
        () = forwarding => {}
        // Also ends if the proxy is dropped.
        _ = state.wait_for(|state| *state == ProxyState::Disconnected) => {}
    }
}

/// Forwards in one direction until either end closes the connection.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<ProxyState>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let is_forwarding = state.wait_for(|state| *state == ProxyState::Forwarding).await.is_ok();
        if !is_forwarding || to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // Fails if the receiver has already closed the connection.
    to.shutdown().await.ok();
}
