//! A mail server that keeps what it is sent, and behaves as badly as it is told to.
//!
//! It speaks as much of SMTP (RFC 5321) as a client needs, with AUTH PLAIN, in the clear or by TLS, and sends nothing on.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::unpoisoned::lock;
pub use certificate::{Authority, Certificate};
use conversation::Conversation;
pub use taken::Taken;

mod certificate;
mod conversation;
mod taken;

/// So long whoever expects a mail waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server on a port of its own, gone when it is dropped.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    encryption: Encryption,
    manners: Arc<Mutex<Manners>>,
    taken: UnboundedReceiver<Taken>,
    taking: UnboundedSender<Taken>,
    /// Whoever listens, and the conversations.
    tasks: JoinSet<()>,
}

/// How what is said to the server is kept from others.
#[derive(Debug, Clone)]
pub enum Encryption {
    /// Not at all.
    Never,
    /// By TLS from the first byte.
    FromTheStart(Certificate),
    /// By STARTTLS, which is offered and not insisted on.
    OnDemand(Certificate),
}

/// How the server behaves.
#[derive(Debug, Default)]
struct Manners {
    /// By a word of it, what a line of the client is answered with instead of the usual.
    answers: HashMap<String, String>,
    says_nothing: bool,
    /// The lines that clients said, but for mails.
    heard: Vec<String>,
}

impl SmtpServer {
    /// Starts one on a free port of loopback.
    pub async fn start() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_on(any).await.expect("loopback has a free port")
    }

    /// Starts one on this address.
    pub async fn start_on(address: SocketAddr) -> io::Result<Self> {
        Self::begin(address, Encryption::Never).await
    }

    /// Starts one that encrypts, on a free port of loopback.
    pub async fn start_encrypted(encryption: Encryption) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::begin(any, encryption).await.expect("loopback has a free port")
    }

    async fn begin(address: SocketAddr, encryption: Encryption) -> io::Result<Self> {
        let (taking, taken) = unbounded_channel();
        let tasks = JoinSet::new();
        let mut server = Self { address, encryption, manners: Arc::default(), taken, taking, tasks };
        server.listen().await?;
        Ok(server)
    }

    /// Where it is, for a client without a login.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where it is, for a client with this login, who insists on TLS where the server has it.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        let at = format!("{user}:{password}@{}", self.address);
        match self.encryption {
            Encryption::Never => format!("smtp://{at}"),
            Encryption::FromTheStart(_) => format!("smtps://{at}"),
            Encryption::OnDemand(_) => format!("smtp://{at}?tls=required"),
        }
    }

    /// From now on answers lines of the client that hold this word with these words.
    pub fn answer(&self, word: &str, words: &str) {
        lock(&self.manners).answers.insert(word.to_owned(), words.to_owned());
    }

    /// From now on takes connections and says nothing.
    pub fn say_nothing(&self) {
        lock(&self.manners).says_nothing = true;
    }

    /// Behaves well again.
    pub fn behave(&self) {
        *lock(&self.manners) = Manners::default();
    }

    /// The lines that it heard since it was last told how to behave, but for mails.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.manners).heard.clone()
    }

    /// Refuses connections, and breaks off those that there are.
    pub async fn close(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Listens again, where it was.
    pub async fn open(&mut self) {
        self.listen().await.expect("the port is free");
    }

    /// The next mail that it takes, however long that takes.
    pub async fn wait(&mut self) -> Taken {
        self.taken.recv().await.expect("the server itself keeps the channel open")
    }

    /// The next mail that it took, or takes soon.
    pub async fn next(&mut self) -> Taken {
        timeout(PATIENCE, self.wait()).await.expect("a mail comes")
    }

    /// The mails that it took until now, by no order.
    pub fn so_far(&mut self) -> Vec<Taken> {
        std::iter::from_fn(|| self.taken.try_recv().ok()).collect()
    }

    async fn listen(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.address = listener.local_addr()?;
        let (manners, taking, encryption) =
            (self.manners.clone(), self.taking.clone(), self.encryption.clone());
        self.tasks.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let conversation = Conversation::new(manners.clone(), taking.clone(), encryption.clone());
                conversations.spawn(async move {
                    // A client that hangs up has had enough.
                    conversation.hold(client).await.ok();
                });
            }
        });
        Ok(())
    }
}
