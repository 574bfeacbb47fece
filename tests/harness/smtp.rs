//! A mail server that keeps what it is sent, and behaves as badly as it is told to.
//!
//! It speaks as much of SMTP (RFC 5321) as a client needs, with AUTH PLAIN, and knows nothing of the hub.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// So long a test waits for a mail before it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server on a port of its own, gone when it is dropped.
pub struct SmtpServer {
    address: SocketAddr,
    manners: Arc<Mutex<Manners>>,
    taken: UnboundedReceiver<Taken>,
    taking: UnboundedSender<Taken>,
    /// Whoever listens, and the conversations.
    tasks: JoinSet<()>,
}

/// A mail that the server took.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// What the client sent after AUTH PLAIN, in base64.
    pub login: Option<String>,
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body.
    pub content: Vec<u8>,
}

/// How the server behaves.
#[derive(Default)]
struct Manners {
    /// By a word of it, what a line of the client is answered with instead of the usual.
    answers: HashMap<String, String>,
    says_nothing: bool,
    /// The lines that clients said, but for mails.
    heard: Vec<String>,
}

impl SmtpServer {
    pub async fn start() -> Self {
        let (taking, taken) = unbounded_channel();
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let tasks = JoinSet::new();
        let mut server = Self { address: nowhere, manners: Arc::default(), taken, taking, tasks };
        server.open().await;
        server
    }

    /// Where it is, for a client without a login.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where it is, for a client with this login.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        format!("smtp://{user}:{password}@{}", self.address)
    }

    /// From now on answers lines of the client that hold this word with these words.
    pub fn answer(&self, word: &str, words: &str) {
        self.manners.lock().unwrap().answers.insert(word.to_owned(), words.to_owned());
    }

    /// From now on takes connections and says nothing.
    pub fn say_nothing(&self) {
        self.manners.lock().unwrap().says_nothing = true;
    }

    /// Behaves well again.
    pub fn behave(&self) {
        *self.manners.lock().unwrap() = Manners::default();
    }

    /// The lines that it heard since it was last told how to behave, but for mails.
    pub fn heard(&self) -> Vec<String> {
        self.manners.lock().unwrap().heard.clone()
    }

    /// Refuses connections, and breaks off those that there are.
    pub async fn close(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Listens again, where it was.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is free");
        self.address = listener.local_addr().expect("it is bound");
        let (manners, taking) = (self.manners.clone(), self.taking.clone());
        self.tasks.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (manners, taking) = (manners.clone(), taking.clone());
                conversations.spawn(async move {
                    // A client that hangs up has had enough.
                    Conversation { manners, taking, mail: Taken::default() }.hold(client).await.ok();
                });
            }
        });
    }

    /// The next mail that it took, or takes soon.
    pub async fn next(&mut self) -> Taken {
        let next = timeout(PATIENCE, self.taken.recv()).await.expect("a mail comes");
        next.expect("the server is there")
    }

    /// The mails that it took until now, by no order.
    pub fn so_far(&mut self) -> Vec<Taken> {
        std::iter::from_fn(|| self.taken.try_recv().ok()).collect()
    }
}

struct Conversation {
    manners: Arc<Mutex<Manners>>,
    taking: UnboundedSender<Taken>,
    mail: Taken,
}

impl Conversation {
    async fn hold(mut self, client: TcpStream) -> std::io::Result<()> {
        let mut client = BufReader::new(client);
        self.say(&mut client, "CONNECT", "220 stand-in").await?;
        let mut line = String::new();
        while client.read_line(&mut line).await? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            self.manners.lock().unwrap().heard.push(command.clone());
            let answer = self.answer_to(&command);
            let said = self.say(&mut client, &command, answer).await?;
            match command.as_str() {
                "QUIT" => break,
                "DATA" if said.starts_with("354") => {
                    self.mail.content = content(&mut client).await?;
                    let login = self.mail.login.clone();
                    let mail = std::mem::replace(&mut self.mail, Taken { login, ..Taken::default() });
                    if self.say(&mut client, "CONTENT", "250 taken").await?.starts_with("250") {
                        self.taking.send(mail).ok();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn answer_to(&mut self, command: &str) -> &'static str {
        let (verb, rest) = command.split_once([' ', ':']).unwrap_or((command, ""));
        match verb {
            "EHLO" => "250-stand-in\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => {
                self.mail.login = rest.strip_prefix("PLAIN ").map(ToOwned::to_owned);
                "235 welcome"
            }
            "MAIL" => {
                let login = self.mail.login.take();
                self.mail = Taken { login, from: address(rest), ..Taken::default() };
                "250 fine"
            }
            "RCPT" => {
                self.mail.to.push(address(rest));
                "250 fine"
            }
            "RSET" | "NOOP" => "250 fine",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "502 what?",
        }
    }

    /// Says the usual, or what it was told to say instead; answers with what was said.
    async fn say(&self, client: &mut BufReader<TcpStream>, to: &str, usual: &str) -> std::io::Result<String> {
        let said = {
            let manners = self.manners.lock().unwrap();
            let told = manners.answers.iter().find(|(word, _)| to.contains(word.as_str()));
            (!manners.says_nothing).then(|| told.map_or(usual, |(_, words)| words).to_owned())
        };
        let Some(said) = said else { return std::future::pending().await };
        client.write_all(format!("{said}\r\n").as_bytes()).await?;
        Ok(said)
    }
}

/// What is between the angle brackets.
fn address(parameters: &str) -> String {
    let inner = parameters.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(parameters, |(address, _)| address).to_owned()
}

/// Reads up to the line with a dot alone, and takes the dots away that stand for others.
async fn content(client: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let start = content.len();
        if client.read_until(b'\n', &mut content).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if content[start..] == *b".\r\n" {
            content.truncate(start);
            return Ok(content);
        }
        if content[start] == b'.' {
            content.remove(start);
        }
    }
}
