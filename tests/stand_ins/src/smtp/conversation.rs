//! What is said between the mail server and one client.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio_rustls::TlsAcceptor;

use super::{Certificate, Encryption, Manners, Taken};
use crate::unpoisoned::lock;

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Client = BufReader<Box<dyn Stream>>;

/// One client's connection.
pub struct Conversation {
    encryption: Encryption,
    manners: Arc<Mutex<Manners>>,
    taking: UnboundedSender<Taken>,
    mail: Taken,
}

impl Conversation {
    /// Behaves like this, and passes mails on.
    pub fn new(manners: Arc<Mutex<Manners>>, taking: UnboundedSender<Taken>, encryption: Encryption) -> Self {
        Self { encryption, manners, taking, mail: Taken::default() }
    }

    /// Goes on until either side hangs up.
    pub async fn hold(mut self, client: TcpStream) -> io::Result<()> {
        let mut client: Client = BufReader::new(Box::new(client));
        if let Encryption::FromTheStart(certificate) = &self.encryption {
            client = encrypted(client, certificate).await?;
        }
        self.say(&mut client, "CONNECT", "220 stand-in").await?;
        let mut line = String::new();
        while client.read_line(&mut line).await? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            lock(&self.manners).heard.push(command.clone());
            let answer = self.answer_to(&command);
            let said = self.say(&mut client, &command, answer).await?;
            match command.as_str() {
                "QUIT" => break,
                "STARTTLS" if said.starts_with("220") => {
                    if let Encryption::OnDemand(certificate) = &self.encryption {
                        client = encrypted(client, certificate).await?;
                        self.encryption = Encryption::FromTheStart(certificate.clone());
                    }
                }
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
            "EHLO" => match self.encryption {
                Encryption::OnDemand(_) => "250-stand-in\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN",
                Encryption::Never | Encryption::FromTheStart(_) => {
                    "250-stand-in\r\n250-8BITMIME\r\n250 AUTH PLAIN"
                }
            },
            "STARTTLS" => match self.encryption {
                Encryption::OnDemand(_) => "220 go on",
                Encryption::Never | Encryption::FromTheStart(_) => "502 what?",
            },
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
    async fn say(&self, client: &mut Client, to: &str, usual: &str) -> io::Result<String> {
        let said = {
            let manners = lock(&self.manners);
            let told = manners.answers.iter().find(|(word, _)| to.contains(word.as_str()));
            (!manners.says_nothing).then(|| told.map_or(usual, |(_, words)| words).to_owned())
        };
        let Some(said) = said else { return std::future::pending().await };
        client.write_all(format!("{said}\r\n").as_bytes()).await?;
        Ok(said)
    }
}

/// The same connection by TLS; nothing may be left over of what was said in the clear.
async fn encrypted(client: Client, certificate: &Certificate) -> io::Result<Client> {
    if !client.buffer().is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&certificate.0));
    let stream = acceptor.accept(client.into_inner()).await?;
    Ok(BufReader::new(Box::new(stream)))
}

/// What is between the angle brackets.
fn address(parameters: &str) -> String {
    let inner = parameters.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(parameters, |(address, _)| address).to_owned()
}

/// Reads up to the line with a dot alone, and takes the dots away that stand for others.
async fn content(client: &mut Client) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let start = content.len();
        if client.read_until(b'\n', &mut content).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
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
