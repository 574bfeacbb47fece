//! The end of the buffer that the export writes to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::disk::SpoolDisk;
use super::quota::{Claim, Quota};
use super::segment::{Segment, SpooledChunk};
use super::{Chunk, Consumed, SenderState, Shared};
use crate::export::slow_reader::ReaderTimeout;

/// How long to wait after a disk failure before the disk is used again.
const DISK_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Writes a file chunk by chunk. Dropping it without calling [`Sender::finish`] interrupts the transfer.
pub struct Sender {
    shared: Arc<Shared>,
    disk: Arc<SpoolDisk>,
    quotas: [Arc<Quota>; 2],
    segment: Option<Arc<Segment>>,
    bytes_sent: u64,
    /// Set after a disk failure: the disk is not used before this time.
    disk_retry_at: Option<Instant>,
    has_logged_limit: bool,
}

/// Why the reader did not receive the rest of the file.
///
/// This deliberately does not implement [`std::error::Error`]: the caller must handle each case.
#[derive(Debug)]
pub enum SendError {
    /// The reader went away.
    ReaderGone,
    /// The reader is too slow.
    ReaderTooSlow,
    /// A spooled chunk cannot be read.
    SpoolUnreadable(io::Error),
}

/// The result of writing a chunk to disk.
enum WriteResult {
    Written,
    Full,
    Failed(io::Error),
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, disk: Arc<SpoolDisk>) -> Self {
        let quotas = disk.quotas();
        Self {
            shared,
            disk,
            quotas,
            segment: None,
            bytes_sent: 0,
            disk_retry_at: None,
            has_logged_limit: false,
        }
    }

    /// How much the reader has taken so far.
    pub fn consumed(&self) -> Consumed {
        self.shared.consumed()
    }

    /// Sends a chunk. Waits for the reader only if memory and disk are full, and only as long as
    /// `reader_timeout` allows.
    pub async fn send(&mut self, chunk: Chunk, reader_timeout: &mut ReaderTimeout) -> Result<(), SendError> {
        self.bytes_sent += chunk.bytes.len() as u64;
        let mut chunk = chunk;
        loop {
            if self.shared.receiver_closed.is_cancelled() {
                return Err(self.send_error());
            }
            chunk = match self.shared.push(chunk) {
                Ok(()) => {
                    // The disk queue is empty.
                    self.segment = None;
                    return Ok(());
                }
                Err(chunk) => chunk,
            };
            if self.spool(&chunk).await {
                return Ok(());
            }
            self.wait_for_reader(reader_timeout).await?;
        }
    }

    /// Waits until the reader has taken everything.
    pub async fn drain(&mut self, reader_timeout: &mut ReaderTimeout) -> Result<(), SendError> {
        self.segment = None;
        loop {
            if self.shared.receiver_closed.is_cancelled() {
                return Err(self.send_error());
            }
            if self.consumed().bytes == self.bytes_sent {
                return Ok(());
            }
            self.wait_for_reader(reader_timeout).await?;
        }
    }

    /// Waits until the reader goes away or fails.
    pub async fn reader_gone(&self) -> SendError {
        self.shared.receiver_closed.cancelled().await;
        self.send_error()
    }

    /// Marks the file as complete.
    pub fn finish(self) {
        self.shared.end(SenderState::Finished);
    }

    fn send_error(&self) -> SendError {
        match self.shared.state.lock().read_error.take() {
            Some(error) => SendError::SpoolUnreadable(error),
            None => SendError::ReaderGone,
        }
    }

    async fn wait_for_reader(&self, reader_timeout: &mut ReaderTimeout) -> Result<(), SendError> {
        tokio::select! {
            reason = self.reader_gone() => Err(reason),
            consumed = reader_timeout.wait(self.consumed().bytes, self.shared.consumed.notified()) => {
                consumed.ok_or(SendError::ReaderTooSlow)
            }
        }
    }

    /// Writes a chunk to disk and returns whether it succeeded.
    async fn spool(&mut self, chunk: &Chunk) -> bool {
        if self.disk_retry_at.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        match self.write(chunk).await {
            WriteResult::Written => true,
            WriteResult::Full => {
                if !self.has_logged_limit {
                    self.has_logged_limit = true;
                    info!("An export reached its spool limit; its query now waits for the reader");
                }
                false
            }
            WriteResult::Failed(error) => {
                if self.disk_retry_at.is_none() {
                    let directory = self.disk.directory().display();
                    warn!(%error, %directory, "Failed to spool an export; its query waits for the reader");
                }
                self.disk_retry_at = Some(Instant::now() + DISK_RETRY_DELAY);
                self.segment = None;
                false
            }
        }
    }

    async fn write(&mut self, chunk: &Chunk) -> WriteResult {
        let Some(claim) = Claim::acquire(&self.quotas, chunk.bytes.len() as u64) else {
            // Otherwise the last file would keep its space after all of its chunks have been read.
            self.segment = None;
            return WriteResult::Full;
        };
        let segment_bytes = self.disk.segment_bytes();
        let segment = self.segment.take().filter(|segment| segment.length() < segment_bytes);
        let (disk, chunk) = (Arc::clone(&self.disk), chunk.clone());
        let append = move || -> io::Result<(Arc<Segment>, SpooledChunk)> {
            let segment = segment.map_or_else(|| Segment::create(disk.directory()).map(Arc::new), Ok)?;
            let spooled = segment.append(&chunk, claim)?;
            Ok((segment, spooled))
        };
        match tokio::task::spawn_blocking(append).await.map_err(io::Error::other).flatten() {
            Ok((segment, spooled)) => {
                self.segment = Some(segment);
                self.shared.push_spooled(spooled);
                WriteResult::Written
            }
            Err(error) => WriteResult::Failed(error),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let is_open = self.shared.state.lock().sender == SenderState::Open;
        if is_open {
            self.shared.end(SenderState::Interrupted);
        }
    }
}
