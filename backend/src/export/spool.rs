//! The way from an export to its reader: through memory while the reader keeps pace, and through temporary files when it
//! does not, so that the query ends at PostgreSQL's pace however slowly the file is read.
//!
//! What is in memory comes before what is on disk. [`Sender`] goes back to memory once the disk holds nothing, so a
//! reader who keeps pace causes no disk access. The files have no name: they go with the process, however it ends.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
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
pub use receiver::{Broken, Receiver};
use segment::Spooled;
pub use sender::{NotTaken, Sender};

use crate::unpoisoned;

/// Pieces that wait in memory before the disk is used.
const PIECES_IN_MEMORY: usize = 8;

/// A piece of a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The text.
    pub bytes: Bytes,
    /// Rows that end in it.
    pub rows: u32,
}

/// What the reader has been given so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows that are complete.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A sender and its receiver.
pub fn open(disk: &Arc<SpoolDisk>) -> (Sender, Receiver) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        filled: Notify::new(),
        taken: Notify::new(),
        receiver_gone: CancellationToken::new(),
    });
    (Sender::new(Arc::clone(&shared), Arc::clone(disk)), Receiver::new(shared))
}

struct Shared {
    state: Mutex<State>,
    /// There is something new for the receiver.
    filled: Notify,
    /// The receiver has taken something.
    taken: Notify,
    /// Cancelled when the receiver takes no more.
    receiver_gone: CancellationToken,
}

#[derive(Default)]
struct State {
    memory: VecDeque<Piece>,
    /// Comes after all that is in memory.
    disk: VecDeque<Spooled>,
    taken: Taken,
    end: End,
    /// Why the receiver could not read what was spooled.
    unreadable: Option<io::Error>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// More may come.
    #[default]
    Open,
    /// Nothing more comes, and the file is whole.
    Whole,
    /// Nothing more comes, and the file is not whole.
    Broken,
}

/// What the receiver does next.
enum Next {
    Memory(Piece),
    Disk(Spooled),
    Wait,
    Whole,
    Broken,
}

impl Shared {
    /// Keeps a piece in memory; gives it back where the disk holds something that comes first, or memory is full.
    fn push(&self, piece: Piece) -> Result<(), Piece> {
        let mut state = unpoisoned::lock(&self.state);
        if !state.disk.is_empty() || state.memory.len() >= PIECES_IN_MEMORY {
            return Err(piece);
        }
        state.memory.push_back(piece);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    fn push_spooled(&self, spooled: Spooled) {
        unpoisoned::lock(&self.state).disk.push_back(spooled);
        self.filled.notify_one();
    }

    fn next(&self) -> Next {
        let mut state = unpoisoned::lock(&self.state);
        if let Some(piece) = state.memory.pop_front() {
            return Next::Memory(piece);
        }
        if let Some(spooled) = state.disk.pop_front() {
            return Next::Disk(spooled);
        }
        match state.end {
            End::Open => Next::Wait,
            End::Whole => Next::Whole,
            End::Broken => Next::Broken,
        }
    }

    fn take(&self, piece: &Piece) {
        let mut state = unpoisoned::lock(&self.state);
        state.taken.rows += u64::from(piece.rows);
        state.taken.bytes += piece.bytes.len() as u64;
        drop(state);
        self.taken.notify_one();
    }

    fn taken(&self) -> Taken {
        unpoisoned::lock(&self.state).taken
    }

    /// Ends the file. Of one that is not whole the reader gets no more from the disk.
    fn end(&self, end: End) {
        let mut state = unpoisoned::lock(&self.state);
        state.end = end;
        let spooled = match end {
            End::Open | End::Whole => VecDeque::new(),
            End::Broken => std::mem::take(&mut state.disk),
        };
        drop(state);
        discard(spooled);
        self.filled.notify_one();
    }
}

/// Gives disk space back; closing a large file that has no name is work for the disk.
fn discard(spooled: VecDeque<Spooled>) {
    if !spooled.is_empty()
        && let Ok(runtime) = Handle::try_current()
    {
        runtime.spawn_blocking(move || drop(spooled));
    }
}
