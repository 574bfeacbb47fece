//! A proxy between a hub and the test cluster, over TCP, that can fall silent as a network does.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cluster::{ROLE, cluster};

/// What the proxy does with new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// They get through.
    Served,
    /// They are taken and then hear nothing.
    Silenced,
    /// They are closed at once.
    TurnedAway,
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    newcomers: Newcomers,
    /// Connections of before this time (counted in silences) hear nothing any more, and stay open.
    silences: usize,
    /// Connections of before this time (counted in cuts) are closed.
    cuts: usize,
}

/// A proxy, gone with whoever holds it.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Lets everything through at first.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (mode, watching) = watch::channel(Mode { newcomers: Newcomers::Served, silences: 0, cuts: 0 });
        let accepting = tokio::spawn(accept(listener, watching));
        Self { address, mode, accepting }
    }

    /// The address of a database behind the proxy, with further parameters.
    pub fn url(&self, database: &str, parameters: &str) -> SecretString {
        format!("postgres://{ROLE}@{}/{database}?{parameters}", self.address).into()
    }

    /// Stops forwarding on every connection there is, and keeps them open.
    pub fn silence(&self, newcomers: Newcomers) {
        self.mode.send_modify(|mode| *mode = Mode { newcomers, silences: mode.silences + 1, ..*mode });
    }

    /// Closes every connection there is.
    pub fn cut(&self, newcomers: Newcomers) {
        self.mode.send_modify(|mode| *mode = Mode { newcomers, cuts: mode.cuts + 1, ..*mode });
    }

    /// What becomes of connections from now on.
    pub fn take(&self, newcomers: Newcomers) {
        self.mode.send_modify(|mode| mode.newcomers = newcomers);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, mode: watch::Receiver<Mode>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(serve(client, mode.clone()));
    }
}

async fn serve(client: TcpStream, mut mode: watch::Receiver<Mode>) {
    let begin = *mode.borrow_and_update();
    let is_cut = async {
        let mut mode = mode.clone();
        // The proxy itself is gone where this fails.
        mode.wait_for(|now| now.cuts > begin.cuts).await.ok();
    };
    match begin.newcomers {
        Newcomers::TurnedAway => {}
        Newcomers::Silenced => is_cut.await,
        Newcomers::Served => {
            let server = UnixStream::connect(socket()).await.expect("the test cluster listens");
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let forwarding = async {
                tokio::join!(
                    forward(from_client, to_server, mode.clone(), begin.silences),
                    forward(from_server, to_client, mode.clone(), begin.silences),
                );
            };
            tokio::select! {
                () = forwarding => {}
                () = is_cut => {}
            }
        }
    }
}

/// Forwards until the sender is done; from when on it is silenced, nothing, and nobody hears of it.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
    silences: usize,
) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let is_silenced = async {
            mode.wait_for(|now| now.silences > silences).await.map(drop).ok();
        };
        let read = tokio::select! {
            biased;
            () = is_silenced => None,
            read = from.read(&mut piece) => Some(read),
        };
        let Some(read) = read else { return std::future::pending().await };
        let Ok(length @ 1..) = read else { break };
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok();
}

fn socket() -> PathBuf {
    cluster().directory().join(".s.PGSQL.5432")
}
