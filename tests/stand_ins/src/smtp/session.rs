//! The SMTP session with one client.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio_rustls::TlsAcceptor;

use super::{Behavior, Certificate, Encryption, ReceivedMail};

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Client = BufReader<Box<dyn Stream>>;

/// The session with one client.
pub struct Session {
    encryption: Encryption,
    behavior: Arc<Mutex<Behavior>>,
    sender: UnboundedSender<ReceivedMail>,
    mail: ReceivedMail,
}

impl Session {
    /// A session with this behavior, which passes mails to the sender.
    pub fn new(
        behavior: Arc<Mutex<Behavior>>,
        sender: UnboundedSender<ReceivedMail>,
        encryption: Encryption,
    ) -> Self {
        Self { encryption, behavior, sender, mail: ReceivedMail::default() }
    }

    /// Runs until either side closes the connection.
    pub async fn run(mut self, client: TcpStream) -> io::Result<()> {
        let mut client: Client = BufReader::new(Box::new(client));
        if let Encryption::Implicit(certificate) = &self.encryption {
            client = start_tls(client, certificate).await?;
        }
        self.reply(&mut client, "CONNECT", "220 stand-in").await?;
        let mut line = String::new();
        while client.read_line(&mut line).await? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            self.behavior.lock().commands.push(command.clone());
            let reply = self.default_reply(&command);
            let sent = self.reply(&mut client, &command, reply).await?;
            match command.as_str() {
                "QUIT" => break,
                "STARTTLS" if sent.starts_with("220") => {
                    if let Encryption::StartTls(certificate) = &self.encryption {
                        client = start_tls(client, certificate).await?;
                        self.encryption = Encryption::Implicit(certificate.clone());
                    }
                }
                "DATA" if sent.starts_with("354") => {
                    self.mail.content = read_content(&mut client).await?;
                    let credentials = self.mail.credentials.clone();
                    let mail = std::mem::replace(
                        &mut self.mail,
                        ReceivedMail { credentials, ..ReceivedMail::default() },
                    );
                    if self.reply(&mut client, "CONTENT", "250 accepted").await?.starts_with("250") {
                        self.sender.send(mail).ok();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn default_reply(&mut self, command: &str) -> &'static str {
        let (verb, parameters) = command.split_once([' ', ':']).unwrap_or((command, ""));
        match verb {
            "EHLO" => match self.encryption {
                Encryption::StartTls(_) => "250-stand-in\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN",
                Encryption::None | Encryption::Implicit(_) => {
                    "250-stand-in\r\n250-8BITMIME\r\n250 AUTH PLAIN"
                }
            },
            "STARTTLS" => match self.encryption {
                Encryption::StartTls(_) => "220 ready to start TLS",
                Encryption::None | Encryption::Implicit(_) => "502 command not implemented",
            },
            "AUTH" => {
                self.mail.credentials = parameters.strip_prefix("PLAIN ").map(ToOwned::to_owned);
                "235 authenticated"
            }
            "MAIL" => {
                let credentials = self.mail.credentials.take();
                self.mail =
                    ReceivedMail { credentials, from: address(parameters), ..ReceivedMail::default() };
                "250 OK"
            }
            "RCPT" => {
                self.mail.to.push(address(parameters));
                "250 OK"
            }
            "RSET" | "NOOP" => "250 OK",
            "DATA" => "354 send the mail",
            "QUIT" => "221 bye",
            _ => "502 command not implemented",
        }
    }

    /// Sends the default reply to a command or its replacement, and returns the reply that was sent.
    async fn reply(&self, client: &mut Client, command: &str, default: &str) -> io::Result<String> {
        let reply = {
            let behavior = self.behavior.lock();
            let replacement =
                behavior.replies.iter().find(|(substring, _)| command.contains(substring.as_str()));
            (!behavior.is_silent).then(|| replacement.map_or(default, |(_, reply)| reply).to_owned())
        };
        let Some(reply) = reply else { return std::future::pending().await };
        client.write_all(format!("{reply}\r\n").as_bytes()).await?;
        Ok(reply)
    }
}

/// Starts TLS on a connection. Fails if the client has already sent more bytes without encryption.
async fn start_tls(client: Client, certificate: &Certificate) -> io::Result<Client> {
    if !client.buffer().is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&certificate.0));
    let stream = acceptor.accept(client.into_inner()).await?;
    Ok(BufReader::new(Box::new(stream)))
}

/// The address between the angle brackets.
fn address(parameters: &str) -> String {
    let inner = parameters.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(parameters, |(address, _)| address).to_owned()
}

/// Reads the content up to the line that consists of a dot, and removes the dots of dot-stuffing.
async fn read_content(client: &mut Client) -> io::Result<Vec<u8>> {
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
