//! A file that is hashed while it is read.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::models::import::OLD_READ_BYTES;

/// Reads a file, and keeps in mind what went by.
#[derive(Debug)]
pub struct Hashing<R> {
    file: R,
    digest: Sha256,
    bytes_read: u64,
    /// Hashes that the file is looked over for.
    wanted: Vec<Vec<u8>>,
    found: Vec<Beginning>,
}

/// What is known of a file that was read to its end.
#[derive(Debug)]
pub struct WholeFile {
    /// The SHA-256 of its content.
    pub sha256: Vec<u8>,
    /// Its size as it was read, in bytes.
    pub bytes_read: u64,
    /// Those of its beginnings that have one of the wanted hashes; the whole file is one too.
    pub beginnings: Vec<Beginning>,
}

/// The first bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Their SHA-256.
    pub sha256: Vec<u8>,
    /// How many they are.
    pub bytes: u64,
}

impl<R: Read> Hashing<R> {
    /// Begins. `wanted` are hashes of files of which an older version may have read the beginning only, which was then
    /// a multiple of [`OLD_READ_BYTES`].
    pub fn new(file: R, wanted: Vec<Vec<u8>>) -> Self {
        Self { file, digest: Sha256::new(), bytes_read: 0, wanted, found: Vec::new() }
    }

    /// What the file turned out to be.
    pub fn finish(mut self) -> WholeFile {
        if !self.bytes_read.is_multiple_of(OLD_READ_BYTES) {
            self.compare();
        }
        let sha256 = self.digest.finalize().to_vec();
        WholeFile { sha256, bytes_read: self.bytes_read, beginnings: self.found }
    }

    fn compare(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        let sha256 = self.digest.clone().finalize().to_vec();
        if self.wanted.contains(&sha256) {
            self.found.push(Beginning { sha256, bytes: self.bytes_read });
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = OLD_READ_BYTES - self.bytes_read % OLD_READ_BYTES;
        let most = buffer.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..most])?;
        self.digest.update(&buffer[..read]);
        self.bytes_read += read as u64;
        if read > 0 && self.bytes_read.is_multiple_of(OLD_READ_BYTES) {
            self.compare();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_known_again_whatever_is_read_at_once() {
        let block = usize::try_from(OLD_READ_BYTES).unwrap();
        let file: Vec<u8> = (0..3 * block + 5).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        for (bytes, known) in [(2 * block, true), (3 * block + 5, true), (block + 1, false)] {
            let sha256 = Sha256::digest(&file[..bytes]).to_vec();
            for at_once in [1000, block, 4 * block] {
                let mut hashing = Hashing::new(&file[..], vec![vec![0; 32], sha256.clone()]);
                while hashing.read(&mut vec![0; at_once]).unwrap() > 0 {}
                let whole = hashing.finish();
                assert_eq!(whole.bytes_read, file.len() as u64);
                assert_eq!(whole.sha256, Sha256::digest(&file).to_vec());
                let expected = Beginning { sha256: sha256.clone(), bytes: bytes as u64 };
                assert_eq!(whole.beginnings, if known { vec![expected] } else { vec![] });
            }
        }
    }
}
