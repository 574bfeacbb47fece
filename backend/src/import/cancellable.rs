//! A file that can no longer be read once its import is cancelled.

use std::io::{self, Read, Seek, SeekFrom};

use tokio_util::sync::CancellationToken;

/// Reads a file until it is cancelled. Then every read fails.
#[derive(Debug)]
pub struct CancellableFile<F> {
    file: F,
    cancelled: CancellationToken,
}

impl<F> CancellableFile<F> {
    /// A file that fails once this token is cancelled.
    pub const fn new(file: F, cancelled: CancellationToken) -> Self {
        Self { file, cancelled }
    }
}

impl<F: Read> Read for CancellableFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not `Interrupted`, after which readers try again.
        if self.cancelled.is_cancelled() {
            Err(io::ErrorKind::BrokenPipe.into())
        } else {
            self.file.read(buffer)
        }
    }
}

impl<F: Seek> Seek for CancellableFile<F> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::import::read_error::ReadError;
    use crate::import::rows;
    use crate::import::rows::tests::OPTIONS;

    /// Cancels itself after some rows, and returns how many were read.
    fn rows_read(file: &[u8], rows_before: u64) -> u64 {
        let cancelled = CancellationToken::new();
        let options = rows::ReadOptions { size_bytes: file.len() as u64, read_bytes: 64, ..OPTIONS };
        let mut read = 0;
        let result = rows::read(CancellableFile::new(Cursor::new(file), cancelled.clone()), &options, |_| {
            read += 1;
            if read == rows_before {
                cancelled.cancel();
            }
            Ok(())
        });
        assert!(matches!(result, Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe));
        read
    }

    #[test]
    fn a_cancelled_file_is_not_read_on() {
        let csv = format!("user_id\n{}", "7\n".repeat(10_000));
        assert!((5..100).contains(&rows_read(csv.as_bytes(), 5)));
        let lines = "{\"user_id\": 7}\n".repeat(10_000);
        assert!((5..100).contains(&rows_read(lines.as_bytes(), 5)));
    }
}
