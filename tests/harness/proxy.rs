//! A proxy between a hub and the test cluster, over TCP, that can fall silent as a network does.

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

/// What has come needs no longer to be read.
const AT_ONCE: Duration = Duration::from_millis(50);

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

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Requests,
    /// From the server.
    Answers,
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    newcomers: Newcomers,
    /// Connections of before this time (counted in silences) hear nothing any more, and stay open.
    silences: usize,
    /// Connections of before this time (counted in cuts) are closed.
    cuts: usize,
    /// What is not forwarded for the moment.
    held: Option<Direction>,
    /// How long each piece takes.
    pace: Duration,
}

/// A proxy, gone with whoever holds it.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    accepting: JoinHandle<()>,
    turned_away: Arc<AtomicUsize>,
}

impl Proxy {
    /// Lets everything through at first.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let newcomers = Newcomers::Served;
        let mode = Mode { newcomers, silences: 0, cuts: 0, held: None, pace: Duration::ZERO };
        let (mode, watching) = watch::channel(mode);
        let turned_away = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(listener, watching, Arc::clone(&turned_away)));
        Self { address, mode, accepting, turned_away }
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

    /// Forwards nothing in this direction until it is released.
    pub fn hold(&self, direction: Direction) {
        self.mode.send_modify(|mode| mode.held = Some(direction));
    }

    /// Forwards what came meanwhile and all that comes.
    pub fn release(&self) {
        self.mode.send_modify(|mode| mode.held = None);
    }

    /// How long each piece of at most 64 KiB takes from now on.
    pub fn slow_down(&self, pace: Duration) {
        self.mode.send_modify(|mode| mode.pace = pace);
    }

    /// How many connections were turned away so far.
    pub fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
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

async fn accept(listener: TcpListener, mode: watch::Receiver<Mode>, turned_away: Arc<AtomicUsize>) {
    while let Ok((client, _)) = listener.accept().await {
        if mode.borrow().newcomers == Newcomers::TurnedAway {
            turned_away.fetch_add(1, Ordering::Relaxed);
        }
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
                    forward(from_client, to_server, Direction::Requests, begin, mode.clone()),
                    forward(from_server, to_client, Direction::Answers, begin, mode.clone()),
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
    direction: Direction,
    begin: Mode,
    mut mode: watch::Receiver<Mode>,
) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let is_silenced = async {
            mode.wait_for(|now| now.silences > begin.silences).await.map(drop).ok();
        };
        let read = tokio::select! {
            biased;
            () = is_silenced => None,
            read = from.read(&mut piece) => Some(read),
        };
        let Some(read) = read else { return std::future::pending().await };
        let Ok(mut length @ 1..) = read else { break };
        if mode.borrow().held == Some(direction) {
            mode.wait_for(|now| now.held.is_none()).await.map(drop).ok();
            // All that came meanwhile is one piece.
            let added = timeout(AT_ONCE, from.read(&mut piece[length..])).await;
            length += added.ok().and_then(Result::ok).unwrap_or(0);
        }
        let pace = mode.borrow().pace;
        sleep(pace).await;
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok();
}

fn socket() -> PathBuf {
    cluster().directory().join(".s.PGSQL.5432")
}
