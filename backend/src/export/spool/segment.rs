//! An unlinked temporary file and the chunks in it. All functions that access the file block.

use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::fast::FixedState;
use nix::sys::statvfs::fstatvfs;
use parking_lot::Mutex;

use super::Chunk;
use super::quota::Claim;

/// The minimum free space to leave on the disk, in bytes: the database may be on the same one.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// A temporary file that chunks are appended to. It is freed with the last chunk in it.
#[derive(Debug)]
pub struct Segment {
    file: File,
    length: AtomicU64,
    /// The disk space reserved for it.
    claim: Mutex<Option<Claim>>,
}

/// A chunk on disk.
#[derive(Debug)]
pub struct SpooledChunk {
    segment: Arc<Segment>,
    offset: u64,
    length: usize,
    rows: u32,
    checksum: u64,
}

impl Segment {
    /// Creates an empty file. Fails if the disk has too little free space.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        let disk = fstatvfs(&file)?;
        let free = disk.blocks_available().saturating_mul(disk.fragment_size());
        if free < MIN_FREE_BYTES {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "less than 1 GiB is free on the disk"));
        }
        Ok(Self { file, length: AtomicU64::new(0), claim: Mutex::new(None) })
    }

    /// The size of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    /// Appends a chunk whose space is already claimed. Only one thread may append at a time.
    pub fn append(self: &Arc<Self>, chunk: &Chunk, claim: Claim) -> io::Result<SpooledChunk> {
        let Chunk { bytes, rows } = chunk;
        match &mut *self.claim.lock() {
            Some(existing) => existing.merge(claim),
            none => *none = Some(claim),
        }
        let offset = self.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset)?;
        let segment = Arc::clone(self);
        Ok(SpooledChunk { segment, offset, length: bytes.len(), rows: *rows, checksum: checksum(bytes) })
    }
}

impl SpooledChunk {
    /// Reads the chunk and verifies its checksum: a failing disk may return older content.
    pub fn read(self) -> io::Result<Chunk> {
        let mut bytes = vec![0; self.length];
        self.segment.file.read_exact_at(&mut bytes, self.offset)?;
        if checksum(&bytes) != self.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "spooled data changed on disk"));
        }
        Ok(Chunk { bytes: Bytes::from(bytes), rows: self.rows })
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
    fn a_chunk_that_changed_on_disk_is_an_error() {
        let segment = Arc::new(Segment::create(&std::env::temp_dir()).unwrap());
        let quotas = [(); 2].map(|()| Arc::new(Quota::new(100)));
        let append = |text: &'static str| {
            let claim = Claim::acquire(&quotas, text.len() as u64).unwrap();
            segment.append(&Chunk { bytes: Bytes::from(text), rows: 1 }, claim).unwrap()
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
