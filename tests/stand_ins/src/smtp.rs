//! A mail server that keeps the mails it receives, and fails on request.
//!
//! It supports as much of SMTP (RFC 5321) as a client needs, with AUTH PLAIN, with or without TLS. It
//! forwards no mail.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use certificate::{Authority, Certificate};
pub use received_mail::ReceivedMail;
use session::Session;

mod certificate;
mod received_mail;
mod session;

/// How long a test waits for a mail.
const MAIL_TIMEOUT: Duration = Duration::from_secs(20);

/// A mail server on its own port. It stops when this is dropped.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    encryption: Encryption,
    behavior: Arc<Mutex<Behavior>>,
    received: UnboundedReceiver<ReceivedMail>,
    sender: UnboundedSender<ReceivedMail>,
    /// The listener and the sessions.
    tasks: JoinSet<()>,
}

/// The encryption of a server's connections.
#[derive(Debug, Clone)]
pub enum Encryption {
    /// No encryption.
    None,
    /// Implicit TLS, from the first byte.
    Implicit(Certificate),
    /// STARTTLS is offered, but not required.
    StartTls(Certificate),
}

/// The behavior of the server, and the commands that it has received.
#[derive(Debug, Default)]
struct Behavior {
    /// Replacement replies by a substring of the command.
    replies: HashMap<String, String>,
    is_silent: bool,
    /// The commands of clients, without the content of mails.
    commands: Vec<String>,
}

impl SmtpServer {
    /// Starts a server on a free loopback port.
    pub async fn start() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_on(any).await.expect("there is a free loopback port")
    }

    /// Starts a server on this address.
    pub async fn start_on(address: SocketAddr) -> io::Result<Self> {
        Self::start_with(address, Encryption::None).await
    }

    /// Starts a server with encryption on a free loopback port.
    pub async fn start_encrypted(encryption: Encryption) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_with(any, encryption).await.expect("there is a free loopback port")
    }

    async fn start_with(address: SocketAddr, encryption: Encryption) -> io::Result<Self> {
        let (sender, received) = unbounded_channel();
        let tasks = JoinSet::new();
        let mut server = Self { address, encryption, behavior: Arc::default(), received, sender, tasks };
        server.listen().await?;
        Ok(server)
    }

    /// The server's URL for a client without credentials.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The server's URL for a client with these credentials. It requires TLS if the server supports it.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        let authority = format!("{user}:{password}@{}", self.address);
        match self.encryption {
            Encryption::None => format!("smtp://{authority}"),
            Encryption::Implicit(_) => format!("smtps://{authority}"),
            Encryption::StartTls(_) => format!("smtp://{authority}?tls=required"),
        }
    }

    /// Sends this reply to all further commands that contain a substring.
    pub fn set_reply(&self, substring: &str, reply: &str) {
        self.behavior.lock().replies.insert(substring.to_owned(), reply.to_owned());
    }

    /// Accepts connections from now on, but sends no replies.
    pub fn go_silent(&self) {
        self.behavior.lock().is_silent = true;
    }

    /// Restores the normal behavior, and forgets the received commands.
    pub fn reset(&self) {
        *self.behavior.lock() = Behavior::default();
    }

    /// The commands that were received since the last reset, without the content of mails.
    pub fn commands(&self) -> Vec<String> {
        self.behavior.lock().commands.clone()
    }

    /// Refuses new connections, and aborts existing ones.
    pub async fn close(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Listens on the same port again.
    pub async fn open(&mut self) {
        self.listen().await.expect("the port is free");
    }

    /// Waits for the next mail without a timeout.
    pub async fn wait(&mut self) -> ReceivedMail {
        self.received.recv().await.expect("the server itself keeps the channel open")
    }

    /// Waits for the next mail. Panics after a timeout.
    pub async fn next(&mut self) -> ReceivedMail {
        timeout(MAIL_TIMEOUT, self.wait()).await.expect("the mail arrives in time")
    }

    /// Removes and returns the mails that have arrived, in no particular order.
    pub fn drain(&mut self) -> Vec<ReceivedMail> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }

    async fn listen(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.address = listener.local_addr()?;
        let (behavior, sender, encryption) =
            (self.behavior.clone(), self.sender.clone(), self.encryption.clone());
        self.tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let session = Session::new(behavior.clone(), sender.clone(), encryption.clone());
                sessions.spawn(async move {
                    // An error means that the client has closed the connection.
                    session.run(client).await.ok();
                });
            }
        });
        Ok(())
    }
}
