//! The output of an export on its way to the reader.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::slow_reader::ReaderTimeout;
use super::spool::{Chunk, SendError, Sender};

/// The approximate size of the chunks that the output is sent in.
pub const CHUNK_BYTES: usize = 64 << 10;

/// The size above which a chunk is divided.
const MAX_CHUNK_BYTES: usize = 4 * CHUNK_BYTES;

/// Sends the output and tracks what was sent.
pub struct Progress {
    sender: Sender,
    reader_timeout: ReaderTimeout,
    hash: Sha256,
    /// Rows that were written to the buffer but not sent yet.
    unsent_rows: u32,
}

impl Progress {
    /// Starts with nothing sent.
    pub fn new(sender: Sender, reader_timeout: ReaderTimeout) -> Self {
        Self { sender, reader_timeout, hash: Sha256::new(), unsent_rows: 0 }
    }

    /// Sends the buffer and empties it.
    pub async fn send(&mut self, out: &mut Vec<u8>) -> Result<(), SendError> {
        if out.is_empty() {
            return Ok(());
        }
        self.hash.update(&*out);
        let mut rest = Bytes::from(std::mem::replace(out, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4)));
        // A row group of a Parquet file is much larger than what a slow reader takes in time.
        while rest.len() > MAX_CHUNK_BYTES {
            let chunk = Chunk { bytes: rest.split_to(CHUNK_BYTES), rows: 0 };
            self.sender.send(chunk, &mut self.reader_timeout).await?;
        }
        let chunk = Chunk { bytes: rest, rows: std::mem::take(&mut self.unsent_rows) };
        self.sender.send(chunk, &mut self.reader_timeout).await
    }

    /// Waits until the reader has taken everything.
    pub async fn drain(&mut self) -> Result<(), SendError> {
        self.sender.drain(&mut self.reader_timeout).await
    }

    /// Counts rows that were written to the buffer.
    pub fn rows_written(&mut self, rows: u32) {
        self.unsent_rows += rows;
    }

    /// Waits until the reader goes away or is too slow.
    pub async fn reader_gone(&mut self) -> SendError {
        self.sender.reader_gone().await
    }

    /// The sender, and the SHA-256 of everything that was sent.
    pub fn into_parts(self) -> (Sender, [u8; 32]) {
        (self.sender, self.hash.finalize().into())
    }
}
