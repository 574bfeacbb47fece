//! The least client that can post over one connection: so little work of its own that what is measured is the server's.

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection that is kept alive.
pub struct Wire {
    stream: TcpStream,
    /// What stands before every body, but for its length.
    head: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port`, to post JSON to this path with this token.
    pub async fn connect(address: &str, path: &str, token: &str) -> Result<Self> {
        let host = address.strip_prefix("http://").context("Only plain http is spoken here")?;
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: "
        );
        Ok(Self { stream, head, request: Vec::new(), answer: Vec::with_capacity(64 << 10) })
    }

    /// Posts a body, waits for the whole answer, and gives its body; any status but 200 is an error.
    pub async fn post(&mut self, body: &str) -> Result<&[u8]> {
        self.request.clear();
        self.request.extend_from_slice(self.head.as_bytes());
        self.request.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "The server hung up");
            let Some(end) = self.answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.answer[..end])?;
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .context("An answer without a length")?
                .1
                .parse()?;
            let is_good = head.starts_with("HTTP/1.1 200");
            let whole = end + 4 + length;
            if self.answer.len() >= whole {
                let body = &self.answer[end + 4..whole];
                ensure!(is_good, "Refused: {}", String::from_utf8_lossy(&self.answer));
                return Ok(body);
            }
        }
    }
}
