//! A buffer between an export and its reader: in memory while the reader keeps up, and in temporary files
//! when it does not. The query thus ends at PostgreSQL's pace however slowly the file is read.
//!
//! Chunks in memory precede chunks on disk. [`Sender`] returns to memory once the disk queue is empty, so a
//! reader that keeps up causes no disk access. The files are unlinked, so they disappear with the process,
//! however it ends.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

mod disk;
mod quota;
mod receiver;
mod segment;
mod sender;
#[cfg(test)]
mod tests;

pub use disk::SpoolDisk;
pub use receiver::{Interrupted, Receiver};
use segment::SpooledChunk;
pub use sender::{SendError, Sender};

/// The number of chunks buffered in memory before the disk is used.
const MAX_CHUNKS_IN_MEMORY: usize = 8;

/// A chunk of a file.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub bytes: Bytes,
    /// The number of rows that end in this chunk.
    pub rows: u32,
}

/// How much the reader has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    /// Only complete rows.
    pub rows: u64,
    pub bytes: u64,
}

/// Creates a sender and its receiver.
pub fn open(disk: &Arc<SpoolDisk>) -> (Sender, Receiver) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        chunk_available: Notify::new(),
        consumed: Notify::new(),
        receiver_closed: CancellationToken::new(),
    });
    (Sender::new(Arc::clone(&shared), Arc::clone(disk)), Receiver::new(shared))
}

struct Shared {
    state: Mutex<State>,
    /// Notifies the receiver of a new chunk, or of the end.
    chunk_available: Notify,
    /// Notifies the sender that the receiver has taken a chunk.
    consumed: Notify,
    /// Cancelled when the receiver is dropped or has failed.
    receiver_closed: CancellationToken,
}

#[derive(Default)]
struct State {
    memory: VecDeque<Chunk>,
    /// Follows all chunks in memory.
    disk: VecDeque<SpooledChunk>,
    consumed: Consumed,
    sender: SenderState,
    /// Why the receiver could not read a spooled chunk.
    read_error: Option<io::Error>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum SenderState {
    /// More chunks may follow.
    #[default]
    Open,
    /// The file is complete.
    Finished,
    /// The file ends before it is complete.
    Interrupted,
}

/// What the receiver does next.
enum Next {
    Memory(Chunk),
    Disk(SpooledChunk),
    Wait,
    End,
    Interrupted,
}

impl Shared {
    /// Queues a chunk in memory. Returns it if memory is full, or if chunks on disk have to be read first.
    fn push(&self, chunk: Chunk) -> Result<(), Chunk> {
        let mut state = self.state.lock();
        if !state.disk.is_empty() || state.memory.len() >= MAX_CHUNKS_IN_MEMORY {
            return Err(chunk);
        }
        state.memory.push_back(chunk);
        drop(state);
        self.chunk_available.notify_one();
        Ok(())
    }

    fn push_spooled(&self, spooled: SpooledChunk) {
        self.state.lock().disk.push_back(spooled);
        self.chunk_available.notify_one();
    }

    fn next(&self) -> Next {
        let mut state = self.state.lock();
        if let Some(chunk) = state.memory.pop_front() {
            return Next::Memory(chunk);
        }
        if let Some(spooled) = state.disk.pop_front() {
            return Next::Disk(spooled);
        }
        match state.sender {
            SenderState::Open => Next::Wait,
            SenderState::Finished => Next::End,
            SenderState::Interrupted => Next::Interrupted,
        }
    }

    fn consume(&self, chunk: &Chunk) {
        let mut state = self.state.lock();
        state.consumed.rows += u64::from(chunk.rows);
        state.consumed.bytes += chunk.bytes.len() as u64;
        drop(state);
        self.consumed.notify_one();
    }

    fn consumed(&self) -> Consumed {
        self.state.lock().consumed
    }

    /// Ends the file. If it is incomplete, the chunks on disk are discarded.
    fn end(&self, sender_state: SenderState) {
        let mut state = self.state.lock();
        state.sender = sender_state;
        let spooled = match sender_state {
            SenderState::Open | SenderState::Finished => VecDeque::new(),
            SenderState::Interrupted => std::mem::take(&mut state.disk),
        };
        drop(state);
        discard(spooled);
        self.chunk_available.notify_one();
    }
}

/// Frees disk space on a blocking thread: closing a large unlinked file may take a while.
fn discard(spooled: VecDeque<SpooledChunk>) {
    if !spooled.is_empty()
        && let Ok(runtime) = Handle::try_current()
    {
        runtime.spawn_blocking(move || drop(spooled));
    }
}
