//! What a fault does to the socket.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{How, Point};
use crate::http::Response;

/// How often a hanging connection looks whether the other side is still there.
const LOOK: Duration = Duration::from_millis(10);
/// How many bytes of the body a head promises that are never sent.
const MISSING: usize = 32;

/// Sends as much of the answer as comes before the break, and breaks off.
pub(crate) async fn break_off(
    stream: &mut TcpStream,
    answer: &Response,
    at: Point,
    how: How,
) -> io::Result<()> {
    // An answer with status 204 cannot promise a body.
    let status = if answer.status == 204 { 200 } else { answer.status };
    let answer = Response { status, ..answer.clone() };
    let mut bytes = answer.head(answer.body.len() + MISSING);
    match at {
        Point::BeforeReading | Point::HalfRead | Point::BeforeAnswer => bytes.clear(),
        Point::MidHead => bytes.truncate(bytes.len() / 2),
        Point::AfterHead => {}
        Point::MidBody if answer.body.is_empty() => bytes.push(b'{'),
        Point::MidBody => bytes.extend_from_slice(&answer.body),
    }
    stream.write_all(&bytes).await?;
    match how {
        How::Reset => stream.set_zero_linger(),
        How::Close => close(stream).await,
        How::Hang => {
            gone(stream).await;
            Ok(())
        }
    }
}

/// Sends an answer byte by byte.
pub(crate) async fn drip(stream: &mut TcpStream, answer: &[u8], every: Duration) -> io::Result<()> {
    for byte in answer {
        stream.write_all(&[*byte]).await?;
        sleep(every).await;
    }
    Ok(())
}

/// Ends a connection in good order: closing it with bytes unread would be a reset.
pub(crate) async fn close(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Waits until the other side has closed or reset the connection, and reads nothing meanwhile.
async fn gone(stream: &TcpStream) {
    loop {
        let state = stream.ready(Interest::READABLE | Interest::ERROR).await;
        if state.is_ok_and(|ready| ready.is_read_closed() || ready.is_error()) {
            return;
        }
        sleep(LOOK).await;
    }
}
