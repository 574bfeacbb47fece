//! The effects of faults on a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{BreakMode, Point};
use crate::http::Response;

/// How often a hanging connection checks whether the client has closed it.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The number of bytes by which the announced length of a truncated body exceeds the real one.
const MISSING_BYTES: usize = 32;

/// Sends the part of the response before the interruption, and interrupts the connection.
pub(crate) async fn interrupt(
    stream: &mut TcpStream,
    response: &Response,
    at: Point,
    how: BreakMode,
) -> io::Result<()> {
    // A 204 cannot announce a body.
    let status = if response.status == 204 { 200 } else { response.status };
    let response = Response { status, ..response.clone() };
    let mut bytes = response.head(response.body.len() + MISSING_BYTES);
    match at {
        Point::BeforeReading | Point::HalfRead | Point::BeforeAnswer => bytes.clear(),
        Point::MidHead => bytes.truncate(bytes.len() / 2),
        Point::AfterHead => {}
        Point::MidBody if response.body.is_empty() => bytes.push(b'{'),
        Point::MidBody => bytes.extend_from_slice(&response.body),
    }
    stream.write_all(&bytes).await?;
    match how {
        BreakMode::Reset => stream.set_zero_linger(),
        BreakMode::Close => close(stream).await,
        BreakMode::Hang => {
            wait_for_close(stream).await;
            Ok(())
        }
    }
}

/// Sends a response byte by byte.
pub(crate) async fn drip(stream: &mut TcpStream, response: &[u8], delay: Duration) -> io::Result<()> {
    for byte in response {
        stream.write_all(&[*byte]).await?;
        sleep(delay).await;
    }
    Ok(())
}

/// Closes a connection in an orderly way. It reads all remaining bytes, since closing with unread bytes
/// causes a reset.
pub(crate) async fn close(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Waits until the client has closed or reset the connection, without reading anything.
async fn wait_for_close(stream: &TcpStream) {
    loop {
        let state = stream.ready(Interest::READABLE | Interest::ERROR).await;
        if state.is_ok_and(|ready| ready.is_read_closed() || ready.is_error()) {
            return;
        }
        sleep(POLL_INTERVAL).await;
    }
}
