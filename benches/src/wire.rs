//! A minimal HTTP client for POST requests over one connection, with little overhead, so that measurements
//! reflect the server.

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A persistent connection.
pub struct Wire {
    stream: TcpStream,
    /// The head of every request, up to the value of `content-length`.
    head: String,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port` to post JSON to this path with this token.
    pub async fn connect(address: &str, path: &str, token: &str) -> Result<Self> {
        let host = address.strip_prefix("http://").context("Only http:// addresses are supported")?;
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: "
        );
        Ok(Self { stream, head, request: Vec::new(), response: Vec::with_capacity(64 << 10) })
    }

    /// Posts a body and returns the body of the response. Fails for any status other than 200.
    pub async fn post(&mut self, body: &str) -> Result<&[u8]> {
        self.request.clear();
        self.request.extend_from_slice(self.head.as_bytes());
        self.request.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.response.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.response).await? > 0, "The server closed the connection");
            let Some(end) = self.response.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.response[..end])?;
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .context("The response has no content-length")?
                .1
                .parse()?;
            let is_ok = head.starts_with("HTTP/1.1 200");
            let total = end + 4 + length;
            if self.response.len() >= total {
                let body = &self.response[end + 4..total];
                ensure!(is_ok, "Request failed: {}", String::from_utf8_lossy(&self.response));
                return Ok(body);
            }
        }
    }
}
