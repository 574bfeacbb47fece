//! A TCP proxy between a hub and the test cluster that simulates network faults.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::cluster::{ROLE, cluster};

/// How long to wait for data that has already arrived.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(50);

/// What the proxy does with new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewConnections {
    /// Connect them to the cluster.
    Forwarded,
    /// Accept them, and never send anything.
    Silent,
    /// Close them immediately.
    Refused,
}

/// A direction of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Responses,
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    new_connections: NewConnections,
    /// The number of calls of [`Proxy::silence`]. Connections opened before the last one are silent.
    silences: usize,
    /// The number of calls of [`Proxy::cut`]. Connections opened before the last one are closed.
    cuts: usize,
    /// The direction in which nothing is forwarded at the moment.
    paused: Option<Direction>,
    /// The delay before each chunk is forwarded.
    delay: Duration,
}

/// A proxy. Dropping it closes it to new connections.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accept_task: JoinHandle<()>,
    refused_connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts a proxy that forwards everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let new_connections = NewConnections::Forwarded;
        let mode = Mode { new_connections, silences: 0, cuts: 0, paused: None, delay: Duration::ZERO };
        let (mode, receiver) = watch::channel(mode);
        let refused_connections = Arc::new(AtomicUsize::new(0));
        let accept_task = tokio::spawn(accept(listener, receiver, Arc::clone(&refused_connections)));
        Self { address, mode, accept_task, refused_connections }
    }

    /// The URL of a database through the proxy, with further parameters.
    pub fn url(&self, database: &str, parameters: &str) -> SecretString {
        format!("postgres://{ROLE}@{}/{database}?{parameters}", self.address).into()
    }

    /// Stops forwarding on all current connections, and keeps them open.
    pub fn silence(&self, new_connections: NewConnections) {
        self.mode.send_modify(|mode| *mode = Mode { new_connections, silences: mode.silences + 1, ..*mode });
    }

    /// Closes all current connections.
    pub fn cut(&self, new_connections: NewConnections) {
        self.mode.send_modify(|mode| *mode = Mode { new_connections, cuts: mode.cuts + 1, ..*mode });
    }

    /// Forwards nothing in this direction until [`Self::resume`].
    pub fn pause(&self, direction: Direction) {
        self.mode.send_modify(|mode| mode.paused = Some(direction));
    }

    /// Forwards the data that arrived during the pause, and everything after it.
    pub fn resume(&self) {
        self.mode.send_modify(|mode| mode.paused = None);
    }

    /// Delays each chunk of at most 64 KiB by this time from now on.
    pub fn slow_down(&self, delay: Duration) {
        self.mode.send_modify(|mode| mode.delay = delay);
    }

    /// The number of connections refused so far.
    pub fn refused_connections(&self) -> usize {
        self.refused_connections.load(Ordering::Relaxed)
    }

    /// Sets what happens to new connections.
    pub fn set_new_connections(&self, new_connections: NewConnections) {
        self.mode.send_modify(|mode| mode.new_connections = new_connections);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept_task.abort();
    }
}

async fn accept(listener: TcpListener, mode: watch::Receiver<Mode>, refused_connections: Arc<AtomicUsize>) {
    while let Ok((client, _)) = listener.accept().await {
        if mode.borrow().new_connections == NewConnections::Refused {
            refused_connections.fetch_add(1, Ordering::Relaxed);
        }
        tokio::spawn(serve(client, mode.clone()));
    }
}

async fn serve(client: TcpStream, mut mode: watch::Receiver<Mode>) {
    let initial = *mode.borrow_and_update();
    let cut = async {
        let mut mode = mode.clone();
        // Fails only if the proxy has been dropped.
        mode.wait_for(|now| now.cuts > initial.cuts).await.ok();
    };
    match initial.new_connections {
        NewConnections::Refused => {}
        NewConnections::Silent => cut.await,
        NewConnections::Forwarded => {
            let server = UnixStream::connect(socket()).await.expect("the test cluster listens");
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let forwarding = async {
                tokio::join!(
                    forward(from_client, to_server, Direction::Requests, initial, mode.clone()),
                    forward(from_server, to_client, Direction::Responses, initial, mode.clone()),
                );
            };
            tokio::select! {
                () = forwarding => {}
                () = cut => {}
            }
        }
    }
}

/// Forwards until the sender closes the connection. Once the connection is silenced, it forwards nothing and
/// keeps the connection open.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    initial: Mode,
    mut mode: watch::Receiver<Mode>,
) {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let silenced = async {
            mode.wait_for(|now| now.silences > initial.silences).await.map(drop).ok();
        };
        let read = tokio::select! {
            biased;
            () = silenced => None,
            read = from.read(&mut chunk) => Some(read),
        };
        let Some(read) = read else { return std::future::pending().await };
        let Ok(mut length @ 1..) = read else { break };
        if mode.borrow().paused == Some(direction) {
            mode.wait_for(|now| now.paused.is_none()).await.map(drop).ok();
            // Forward everything that arrived during the pause as one chunk.
            let added = timeout(DRAIN_TIMEOUT, from.read(&mut chunk[length..])).await;
            length += added.ok().and_then(Result::ok).unwrap_or(0);
        }
        let delay = mode.borrow().delay;
        sleep(delay).await;
        if to.write_all(&chunk[..length]).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok();
}

fn socket() -> PathBuf {
    cluster().directory().join(".s.PGSQL.5432")
}
