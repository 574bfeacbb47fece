//! The end of the way that the export writes to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::disk::SpoolDisk;
use super::quota::{Claim, Quota};
use super::segment::{Segment, Spooled};
use super::{End, Piece, Shared, Taken};
use crate::export::patience::Patience;
use crate::unpoisoned;

/// After a failure the disk is left alone for this long.
const PAUSE: Duration = Duration::from_secs(10);

/// Writes a file piece by piece. Dropping it without [`Sender::finish`] breaks the file off.
pub struct Sender {
    shared: Arc<Shared>,
    disk: Arc<SpoolDisk>,
    quotas: [Arc<Quota>; 2],
    segment: Option<Arc<Segment>>,
    /// Bytes that were sent.
    sent: u64,
    /// The disk failed, and is not tried again before.
    paused_until: Option<Instant>,
    has_told_of_limit: bool,
}

/// The reader does not take the rest.
///
/// Deliberately no [`std::error::Error`]: whoever sends has to say what each means.
#[derive(Debug)]
pub enum NotTaken {
    /// It went away.
    Gone,
    /// It takes next to nothing.
    TooSlow,
    /// What waited on disk for it cannot be read.
    Unreadable(io::Error),
}

/// What became of a piece that was to go to disk.
enum Disk {
    Written,
    Full,
    Failed(io::Error),
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, disk: Arc<SpoolDisk>) -> Self {
        let quotas = disk.quotas();
        Self { shared, disk, quotas, segment: None, sent: 0, paused_until: None, has_told_of_limit: false }
    }

    /// What the reader has been given so far.
    pub fn taken(&self) -> Taken {
        self.shared.taken()
    }

    /// Sends a piece. Waits for the reader only where memory and disk are full, and only as long as `patience` allows.
    pub async fn send(&mut self, piece: Piece, patience: &mut Patience) -> Result<(), NotTaken> {
        self.sent += piece.bytes.len() as u64;
        let mut piece = piece;
        loop {
            if self.shared.receiver_gone.is_cancelled() {
                return Err(self.not_taken());
            }
            piece = match self.shared.push(piece) {
                Ok(()) => {
                    // The disk holds nothing any more.
                    self.segment = None;
                    return Ok(());
                }
                Err(piece) => piece,
            };
            if self.spool(&piece).await {
                return Ok(());
            }
            self.wait_for_reader(patience).await?;
        }
    }

    /// Waits until the reader has taken everything.
    pub async fn drained(&mut self, patience: &mut Patience) -> Result<(), NotTaken> {
        self.segment = None;
        loop {
            if self.shared.receiver_gone.is_cancelled() {
                return Err(self.not_taken());
            }
            if self.taken().bytes == self.sent {
                return Ok(());
            }
            self.wait_for_reader(patience).await?;
        }
    }

    /// Waits until the reader takes no more, before the end.
    pub async fn reader_gone(&self) -> NotTaken {
        self.shared.receiver_gone.cancelled().await;
        self.not_taken()
    }

    /// Says that the file is whole.
    pub fn finish(self) {
        self.shared.end(End::Whole);
    }

    fn not_taken(&self) -> NotTaken {
        match unpoisoned::lock(&self.shared.state).unreadable.take() {
            Some(error) => NotTaken::Unreadable(error),
            None => NotTaken::Gone,
        }
    }

    async fn wait_for_reader(&self, patience: &mut Patience) -> Result<(), NotTaken> {
        tokio::select! {
            reason = self.reader_gone() => Err(reason),
            taken = patience.wait(self.taken().bytes, self.shared.taken.notified()) => {
                taken.ok_or(NotTaken::TooSlow)
            }
        }
    }

    /// Puts a piece on disk, and says whether it is there.
    async fn spool(&mut self, piece: &Piece) -> bool {
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        match self.write(piece).await {
            Disk::Written => true,
            Disk::Full => {
                if !self.has_told_of_limit {
                    self.has_told_of_limit = true;
                    info!("As much of an export waits on disk as may; its query now waits for its reader");
                }
                false
            }
            Disk::Failed(error) => {
                if self.paused_until.is_none() {
                    let directory = self.disk.directory().display();
                    warn!(%error, %directory, "An export cannot be spooled; its query waits for its reader");
                }
                self.paused_until = Some(Instant::now() + PAUSE);
                self.segment = None;
                false
            }
        }
    }

    async fn write(&mut self, piece: &Piece) -> Disk {
        let Some(claim) = Claim::acquire(&self.quotas, piece.bytes.len() as u64) else {
            // Else the last file would keep its space when all that is in it has been read.
            self.segment = None;
            return Disk::Full;
        };
        let segment_bytes = self.disk.segment_bytes();
        let segment = self.segment.take().filter(|segment| segment.length() < segment_bytes);
        let (disk, piece) = (Arc::clone(&self.disk), piece.clone());
        let append = move || -> io::Result<(Arc<Segment>, Spooled)> {
            let segment = segment.map_or_else(|| Segment::create(disk.directory()).map(Arc::new), Ok)?;
            let spooled = segment.append(&piece, claim)?;
            Ok((segment, spooled))
        };
        match tokio::task::spawn_blocking(append).await.map_err(io::Error::other).flatten() {
            Ok((segment, spooled)) => {
                self.segment = Some(segment);
                self.shared.push_spooled(spooled);
                Disk::Written
            }
            Err(error) => Disk::Failed(error),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let is_open = unpoisoned::lock(&self.shared.state).end == End::Open;
        if is_open {
            self.shared.end(End::Broken);
        }
    }
}
