//! The end of the buffer that the reader reads from.

use std::sync::Arc;

use bytes::Bytes;

use super::{Chunk, Next, Shared, discard};

/// Reads a file chunk by chunk. Dropping it tells the sender that the reader is gone.
pub struct Receiver {
    shared: Arc<Shared>,
}

/// The transfer ended before the file was complete.
#[derive(Debug, thiserror::Error)]
#[error("the export was interrupted")]
pub struct Interrupted;

impl Receiver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Returns the next chunk, or `None` at the end of a complete file.
    ///
    /// Not cancel safe: dropping the future may lose a chunk.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Interrupted> {
        loop {
            match self.shared.next() {
                Next::Memory(chunk) => return Ok(Some(self.consume(chunk))),
                Next::Disk(spooled) => {
                    let read = tokio::task::spawn_blocking(move || spooled.read());
                    match read.await.map_err(std::io::Error::other).flatten() {
                        Ok(chunk) => return Ok(Some(self.consume(chunk))),
                        Err(error) => {
                            self.shared.state.lock().read_error = Some(error);
                            self.shared.receiver_closed.cancel();
                            return Err(Interrupted);
                        }
                    }
                }
                Next::Wait => self.shared.chunk_available.notified().await,
                Next::End => return Ok(None),
                Next::Interrupted => return Err(Interrupted),
            }
        }
    }

    fn consume(&self, chunk: Chunk) -> Bytes {
        self.shared.consume(&chunk);
        chunk.bytes
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.receiver_closed.cancel();
        let mut state = self.shared.state.lock();
        state.memory.clear();
        let spooled = std::mem::take(&mut state.disk);
        drop(state);
        discard(spooled);
    }
}
