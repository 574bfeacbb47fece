//! A temporary file without a name, and the pieces in it. All functions that touch it block.

use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use foldhash::fast::FixedState;
use nix::sys::statvfs::fstatvfs;

use super::Piece;
use super::quota::Claim;
use crate::unpoisoned;

/// Space that exports leave to others on their disk, in bytes: the database may be on the same one.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// A temporary file that pieces are appended to. It goes with the last piece that is in it.
#[derive(Debug)]
pub struct Segment {
    file: File,
    /// Bytes in it.
    length: AtomicU64,
    /// The space for them.
    claim: Mutex<Option<Claim>>,
}

/// A piece on disk.
#[derive(Debug)]
pub struct Spooled {
    segment: Arc<Segment>,
    offset: u64,
    length: usize,
    rows: u32,
    checksum: u64,
}

impl Segment {
    /// An empty file.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        let disk = fstatvfs(&file)?;
        let free = disk.blocks_available().saturating_mul(disk.fragment_size());
        if free < MIN_FREE_BYTES {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "less than 1 GiB is left on the disk"));
        }
        Ok(Self { file, length: AtomicU64::new(0), claim: Mutex::new(None) })
    }

    /// Bytes in the file.
    pub fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    /// Appends a piece, for which there is space. Only one thread may append at a time.
    pub fn append(self: &Arc<Self>, piece: &Piece, claim: Claim) -> io::Result<Spooled> {
        let Piece { bytes, rows } = piece;
        match &mut *unpoisoned::lock(&self.claim) {
            Some(held) => held.merge(claim),
            none => *none = Some(claim),
        }
        let offset = self.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset)?;
        let segment = Arc::clone(self);
        Ok(Spooled { segment, offset, length: bytes.len(), rows: *rows, checksum: checksum(bytes) })
    }
}

impl Spooled {
    /// Reads the piece. What is not as it was written is an error: a disk that could not keep a page may give back an
    /// older one.
    pub fn read(self) -> io::Result<Piece> {
        let mut bytes = vec![0; self.length];
        self.segment.file.read_exact_at(&mut bytes, self.offset)?;
        if checksum(&bytes) != self.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what was spooled has changed on disk"));
        }
        Ok(Piece { bytes: Bytes::from(bytes), rows: self.rows })
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    FixedState::default().hash_one(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::quota::Quota;
    use super::*;

    #[test]
    fn what_changes_on_disk_is_not_given_to_anybody() {
        let segment = Arc::new(Segment::create(&std::env::temp_dir()).unwrap());
        let quotas = [(); 2].map(|()| Arc::new(Quota::new(100)));
        let append = |text: &'static str| {
            let claim = Claim::acquire(&quotas, text.len() as u64).unwrap();
            segment.append(&Piece { bytes: Bytes::from(text), rows: 1 }, claim).unwrap()
        };
        let (first, second, third) = (append("first,1\n"), append("second,2\n"), append("third,3\n"));
        segment.file.write_all_at(b"9", 15).unwrap();
        assert_eq!(first.read().unwrap().bytes, "first,1\n");
        assert_eq!(second.read().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(third.read().unwrap().bytes, "third,3\n");
        assert_eq!(quotas[0].used(), 25);
        drop(segment);
        assert_eq!(quotas[0].used(), 0);
    }
}
