//! Reading requests off a socket, piece by piece, so that a fault can strike after any of them.

use std::io::{self, ErrorKind};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Head;

/// The greatest head.
const HEAD_LIMIT: usize = 64 << 10;
/// The greatest body, as it comes.
const BODY_LIMIT: usize = 64 << 20;

/// Bytes of a connection that were read and not yet used.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length.
    Length(usize),
    /// By a chunk of no bytes.
    Chunked,
}

impl Reader {
    /// Whether the next request has already begun to arrive.
    pub(crate) fn has_bytes(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next head; an error where the client went away or talks no HTTP.
    pub(crate) async fn head(&mut self, stream: &mut TcpStream) -> io::Result<(Head, Framing)> {
        loop {
            if let Some((head, length)) = parsed(&self.buffer)? {
                self.buffer.drain(..length);
                let framing = framing(&head)?;
                return Ok((head, framing));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            self.more(stream).await?;
        }
    }

    /// Waits for the first half of the body.
    pub(crate) async fn half_body(&mut self, stream: &mut TcpStream, framing: Framing) -> io::Result<()> {
        let half = match framing {
            Framing::Length(length) => length / 2,
            Framing::Chunked => 1,
        };
        while self.buffer.len() < half {
            self.more(stream).await?;
        }
        Ok(())
    }

    /// The body, whole.
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
            if body.len() + size > BODY_LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            body.extend(self.take(stream, size).await?);
            self.line(stream).await?;
        }
    }

    async fn line(&mut self, stream: &mut TcpStream) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if self.buffer.len() > BODY_LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            self.more(stream).await?;
        }
    }

    async fn take(&mut self, stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.more(stream).await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn more(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        self.buffer.reserve(8 << 10);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The head at the beginning of these bytes and its length, once it is there.
fn parsed(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
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
    if head.header_begins("transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    let length = head.header("content-length").map_or(Ok(0), |text| text.trim().parse::<usize>());
    match length {
        Ok(length) if length <= BODY_LIMIT => Ok(Framing::Length(length)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn two_requests_on_one_connection_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let chunked =
            "POST /a?b=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let counted = "POST /c HTTP/1.1\r\ncontent-length: 2\r\n\r\nfg";
        client.write_all(chunked.as_bytes()).await.unwrap();
        client.write_all(counted.as_bytes()).await.unwrap();

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
