//! A line to the hub that can be cut, or fall silent, and be mended: what the browser's own switch for the network does
//! not do to a connection that is already there.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It carries.
    Whole,
    /// It is there, and carries nothing.
    Silent,
    /// What went through it has ended, and nothing new comes through.
    Cut,
}

/// A line, until it is dropped.
pub struct Line {
    address: SocketAddr,
    state: watch::Sender<State>,
    switchboard: JoinHandle<()>,
}

impl Line {
    /// A line to this address, such as `http://127.0.0.1:40123`.
    pub async fn to(url: &str) -> Self {
        let hub: SocketAddr = url.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (state, seen) = watch::channel(State::Whole);
        let switchboard = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(connect(caller, hub, seen.clone()));
            }
        });
        Self { address, state, switchboard }
    }

    /// Where it begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes how it is.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.switchboard.abort();
    }
}

/// Carries one connection until it ends or is cut.
async fn connect(caller: TcpStream, hub: SocketAddr, mut state: watch::Receiver<State>) {
    let carried = {
        let state = state.clone();
        async move {
            let hub = TcpStream::connect(hub).await.expect("the hub listens");
            let ((from_caller, to_caller), (from_hub, to_hub)) = (caller.into_split(), hub.into_split());
            tokio::join!(carry(from_caller, to_hub, state.clone()), carry(from_hub, to_caller, state));
        }
    };
    tokio::select! {
        () = carried => {}
        // The line that is gone for good cuts it too.
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Carries one way, as long as both ends are there.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let carries = state.wait_for(|state| *state == State::Whole).await.is_ok();
        if !carries || to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // An end that is gone already hears of no other.
    to.shutdown().await.ok();
}
