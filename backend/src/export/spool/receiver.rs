//! The end of the way that the reader takes from.

use std::sync::Arc;

use bytes::Bytes;

use super::{Next, Piece, Shared, discard};
use crate::unpoisoned;

/// Gives a file piece by piece. Dropping it tells the sender that nobody reads.
pub struct Receiver {
    shared: Arc<Shared>,
}

/// The transfer broke off; what was sent is not the whole file.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
pub struct Broken;

impl Receiver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The next piece; none at the end of a whole file.
    ///
    /// A call that is dropped before it answers may lose a piece.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            match self.shared.next() {
                Next::Memory(piece) => return Ok(Some(self.take(piece))),
                Next::Disk(spooled) => {
                    let read = tokio::task::spawn_blocking(move || spooled.read());
                    match read.await.map_err(std::io::Error::other).flatten() {
                        Ok(piece) => return Ok(Some(self.take(piece))),
                        Err(error) => {
                            unpoisoned::lock(&self.shared.state).unreadable = Some(error);
                            self.shared.receiver_gone.cancel();
                            return Err(Broken);
                        }
                    }
                }
                Next::Wait => self.shared.filled.notified().await,
                Next::Whole => return Ok(None),
                Next::Broken => return Err(Broken),
            }
        }
    }

    fn take(&self, piece: Piece) -> Bytes {
        self.shared.take(&piece);
        piece.bytes
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.receiver_gone.cancel();
        let mut state = unpoisoned::lock(&self.shared.state);
        state.memory.clear();
        let spooled = std::mem::take(&mut state.disk);
        drop(state);
        discard(spooled);
    }
}
