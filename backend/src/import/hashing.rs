//! Hashes a file while it is read.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::models::import::OLD_READ_BYTES;

/// Reads a file and hashes its content.
#[derive(Debug)]
pub struct HashingReader<R> {
    file: R,
    digest: Sha256,
    bytes_read: u64,
    /// The hashes of prefixes to look for.
    wanted_hashes: Vec<Vec<u8>>,
    matching_prefixes: Vec<Prefix>,
}

/// The hash and size of a file that was read to its end.
#[derive(Debug)]
pub struct FileDigest {
    pub sha256: Vec<u8>,
    pub bytes_read: u64,
    /// The prefixes of the file with one of the wanted hashes. The whole file counts as a prefix too.
    pub matching_prefixes: Vec<Prefix>,
}

/// A prefix of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    pub sha256: Vec<u8>,
    /// Its length in bytes.
    pub bytes: u64,
}

impl<R: Read> HashingReader<R> {
    /// Creates a reader. `wanted_hashes` are hashes of files that an older version may have read only in
    /// part. It then stopped at a multiple of [`OLD_READ_BYTES`].
    pub fn new(file: R, wanted_hashes: Vec<Vec<u8>>) -> Self {
        Self { file, digest: Sha256::new(), bytes_read: 0, wanted_hashes, matching_prefixes: Vec::new() }
    }

    /// The hash and size of what was read.
    pub fn finish(mut self) -> FileDigest {
        if !self.bytes_read.is_multiple_of(OLD_READ_BYTES) {
            self.check_prefix();
        }
        let sha256 = self.digest.finalize().to_vec();
        FileDigest { sha256, bytes_read: self.bytes_read, matching_prefixes: self.matching_prefixes }
    }

    fn check_prefix(&mut self) {
        if self.wanted_hashes.is_empty() {
            return;
        }
        let sha256 = self.digest.clone().finalize().to_vec();
        if self.wanted_hashes.contains(&sha256) {
            self.matching_prefixes.push(Prefix { sha256, bytes: self.bytes_read });
        }
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = OLD_READ_BYTES - self.bytes_read % OLD_READ_BYTES;
        let limit = buffer.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..limit])?;
        self.digest.update(&buffer[..read]);
        self.bytes_read += read as u64;
        if read > 0 && self.bytes_read.is_multiple_of(OLD_READ_BYTES) {
            self.check_prefix();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_found_with_any_read_size() {
        let block = usize::try_from(OLD_READ_BYTES).unwrap();
        let file: Vec<u8> = (0..3 * block + 5).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        for (bytes, is_known) in [(2 * block, true), (3 * block + 5, true), (block + 1, false)] {
            let sha256 = Sha256::digest(&file[..bytes]).to_vec();
            for read_size in [1000, block, 4 * block] {
                let mut hashing = HashingReader::new(&file[..], vec![vec![0; 32], sha256.clone()]);
                while hashing.read(&mut vec![0; read_size]).unwrap() > 0 {}
                let whole = hashing.finish();
                assert_eq!(whole.bytes_read, file.len() as u64);
                assert_eq!(whole.sha256, Sha256::digest(&file).to_vec());
                let expected = Prefix { sha256: sha256.clone(), bytes: bytes as u64 };
                assert_eq!(whole.matching_prefixes, if is_known { vec![expected] } else { vec![] });
            }
        }
    }
}
