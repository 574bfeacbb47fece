//! A connection for COPY, which diesel does not offer.

use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::{Client, Statement};

use super::address::Address;
use super::connect_error::ConnectError;
use super::connection::Session;
use super::link::Link;

/// The signature, flags and extension length at the start of COPY's binary format.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of COPY's binary format.
const COPY_TRAILER: &[u8] = b"\xff\xff";

/// A connection outside the pool with the interface of tokio-postgres.
///
/// If it is dropped while a statement is running or a transaction is open, it is closed immediately, the server is
/// asked to cancel the statement, and the transaction is rolled back.
pub struct CopyConnection {
    client: Client,
    link: Link,
    is_read_only: bool,
}

impl CopyConnection {
    /// Connects to the database.
    pub(super) async fn establish(address: &Arc<Address>) -> Result<Self, ConnectError> {
        let Session { client, link, is_read_only } = Session::establish(address).await?;
        Ok(Self { client, link, is_read_only })
    }

    /// Whether the server was read-only when the connection was established.
    pub(super) const fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Executes a `COPY … FROM STDIN (FORMAT binary)` with these rows, which are encoded without header and trailer.
    pub async fn copy(&self, statement: &Statement, rows: Bytes) -> Result<(), tokio_postgres::Error> {
        let mut sink = pin!(self.client.copy_in::<_, Bytes>(statement).await?);
        sink.feed(Bytes::from_static(COPY_HEADER)).await?;
        sink.feed(rows).await?;
        sink.feed(Bytes::from_static(COPY_TRAILER)).await?;
        sink.finish().await?;
        Ok(())
    }
}

impl Deref for CopyConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for CopyConnection {
    fn drop(&mut self) {
        self.link.abandon(|| self.client.cancel_token());
    }
}
