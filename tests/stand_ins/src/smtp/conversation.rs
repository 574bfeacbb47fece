//! What is said between the mail server and one client.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;

use super::{Manners, Taken};
use crate::unpoisoned::lock;

/// One client's connection.
pub struct Conversation {
    manners: Arc<Mutex<Manners>>,
    taking: UnboundedSender<Taken>,
    mail: Taken,
}

impl Conversation {
    /// Behaves like this, and passes mails on.
    pub fn new(manners: Arc<Mutex<Manners>>, taking: UnboundedSender<Taken>) -> Self {
        Self { manners, taking, mail: Taken::default() }
    }

    /// Goes on until either side hangs up.
    pub async fn hold(mut self, client: TcpStream) -> io::Result<()> {
        let mut client = BufReader::new(client);
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
    async fn say(&self, client: &mut BufReader<TcpStream>, to: &str, usual: &str) -> io::Result<String> {
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

/// What is between the angle brackets.
fn address(parameters: &str) -> String {
    let inner = parameters.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(parameters, |(address, _)| address).to_owned()
}

/// Reads up to the line with a dot alone, and takes the dots away that stand for others.
async fn content(client: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
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
