//! Hashes a file while it is read.

use std::io::{self, Read, Seek, Write};

use sha2::{Digest as _, Sha256};

/// Reads a file and hashes its content.
#[derive(Debug)]
pub struct HashingReader<R> {
    file: R,
    digest: Sha256,
    bytes_read: u64,
}

/// The hash and size of a file that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest {
    pub sha256: Vec<u8>,
    pub bytes_read: u64,
}

impl<R> HashingReader<R> {
    /// Starts at the beginning of this file.
    pub fn new(file: R) -> Self {
        Self { file, digest: Sha256::new(), bytes_read: 0 }
    }

    /// The number of bytes read so far.
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The hash and size of what was read.
    pub fn finish(self) -> FileDigest {
        FileDigest { sha256: self.digest.finalize().to_vec(), bytes_read: self.bytes_read }
    }
}

impl<R: Read + Seek> HashingReader<R> {
    /// Reads the whole file once more into `copy`, and returns its digest with the file at its beginning.
    pub fn rewind(mut self, copy: &mut impl Write) -> io::Result<(FileDigest, R)> {
        self.file.rewind()?;
        self = Self::new(self.file);
        io::copy(&mut self, copy)?;
        self.file.rewind()?;
        let digest = FileDigest { sha256: self.digest.finalize().to_vec(), bytes_read: self.bytes_read };
        Ok((digest, self.file))
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.digest.update(&buffer[..read]);
        self.bytes_read += read as u64;
        Ok(read)
    }
}
