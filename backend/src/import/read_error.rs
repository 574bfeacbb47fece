//! Why a file could not be read.

use std::io;

use super::file_problem::FileProblem;

/// Why the next row could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// The file is invalid.
    InvalidFile(FileProblem),
    /// Reading failed.
    Io(io::Error),
}

impl From<FileProblem> for ReadError {
    fn from(problem: FileProblem) -> Self {
        Self::InvalidFile(problem)
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
