//! Reads requests from a socket step by step, so that a fault can be injected after any step.

use std::io::{self, ErrorKind};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Head;

/// Maximum size of a head, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Maximum size of a received body, in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Reads requests from a connection, and buffers bytes that are not used yet.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
}

/// How the end of a body is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length.
    Length(usize),
    /// By an empty chunk.
    Chunked,
}

impl Reader {
    /// Whether the first bytes of the next request are buffered.
    pub(crate) fn has_bytes(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Reads the next head. Fails if the client closes the connection or does not send HTTP.
    pub(crate) async fn head(&mut self, stream: &mut TcpStream) -> io::Result<(Head, Framing)> {
        loop {
            if let Some((head, length)) = parse_head(&self.buffer)? {
                self.buffer.drain(..length);
                let framing = framing(&head)?;
                return Ok((head, framing));
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(ErrorKind::InvalidData.into());
            }
            self.read_more(stream).await?;
        }
    }

    /// Waits until half of the body is buffered.
    pub(crate) async fn half_body(&mut self, stream: &mut TcpStream, framing: Framing) -> io::Result<()> {
        let half = match framing {
            Framing::Length(length) => length / 2,
            Framing::Chunked => 1,
        };
        while self.buffer.len() < half {
            self.read_more(stream).await?;
        }
        Ok(())
    }

    /// Reads the complete body.
    pub(crate) async fn body(&mut self, stream: &mut TcpStream, framing: Framing) -> io::Result<Vec<u8>> {
        match framing {
            Framing::Length(length) => self.take(stream, length).await,
            Framing::Chunked => self.chunks(stream).await,
        }
    }

    async fn chunks(&mut self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line(stream).await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
            if size == 0 {
                while !self.line(stream).await?.is_empty() {}
                return Ok(body);
            }
            if body.len() + size > MAX_BODY_BYTES {
                return Err(ErrorKind::InvalidData.into());
            }
            body.extend(self.take(stream, size).await?);
            self.line(stream).await?;
        }
    }

    async fn line(&mut self, stream: &mut TcpStream) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if self.buffer.len() > MAX_BODY_BYTES {
                return Err(ErrorKind::InvalidData.into());
            }
            self.read_more(stream).await?;
        }
    }

    async fn take(&mut self, stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.read_more(stream).await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn read_more(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        self.buffer.reserve(8 << 10);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The head at the start of these bytes and its length, or `None` if it is incomplete.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = request
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.collect(),
    };
    Ok(Some((head, length)))
}

fn framing(head: &Head) -> io::Result<Framing> {
    if head.header_starts_with("transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    let length = head.header("content-length").map_or(Ok(0), |text| text.trim().parse::<usize>());
    match length {
        Ok(length) if length <= MAX_BODY_BYTES => Ok(Framing::Length(length)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn two_requests_on_one_connection_are_read_separately() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let chunked =
            "POST /a?b=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let with_length = "POST /c HTTP/1.1\r\ncontent-length: 2\r\n\r\nfg";
        client.write_all(chunked.as_bytes()).await.unwrap();
        client.write_all(with_length.as_bytes()).await.unwrap();

        let mut reader = Reader::default();
        let (head, framing) = reader.head(&mut server).await.unwrap();
        assert_eq!((head.path.as_str(), head.query.as_str(), framing), ("/a", "b=1", Framing::Chunked));
        assert_eq!(reader.body(&mut server, framing).await.unwrap(), b"abcde");
        let (head, framing) = reader.head(&mut server).await.unwrap();
        assert_eq!((head.path.as_str(), framing), ("/c", Framing::Length(2)));
        assert_eq!(reader.body(&mut server, framing).await.unwrap(), b"fg");
        drop(client);
        assert!(reader.head(&mut server).await.is_err());
    }
}
