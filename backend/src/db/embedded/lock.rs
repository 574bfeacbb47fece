//! Who runs the cluster of a data directory, and who else is using it.
//!
//! The locks are the kernel's: they end with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::sleep;

use super::Refusal;

/// The right to run the cluster: one process at a time has it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Locked,
    guests: Locked,
}

/// Held by a process that uses a cluster which another one runs.
#[derive(Debug)]
pub(super) struct GuestPass {
    _file: Locked,
}

/// A file that is unlocked when it is dropped.
///
/// Closing it would not be enough: a child process shares it from the moment it is forked until it runs its own
/// program, and the lock would stay for as long.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // A file that cannot be unlocked is unlocked by being closed.
        self.0.unlock().ok();
    }
}

impl Lock {
    /// Takes the lock, unless another process has it.
    pub fn take(data_dir: &Path) -> Result<Self, Refusal> {
        let unusable = |source| Refusal::Unusable { data_dir: data_dir.to_owned(), source };
        let mut file = open(&data_dir.join("lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(unusable)?;
                return Err(Refusal::InUse {
                    data_dir: data_dir.to_owned(),
                    holder: holder.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let guests = open(&guests(data_dir)).map_err(unusable)?;
        note_process(&mut file).map_err(unusable)?;
        Ok(Self { _file: Locked(file), guests: Locked(guests) })
    }

    /// Waits until no other process uses the cluster, and lets no further one in.
    pub async fn wait_for_guests(&self) -> anyhow::Result<()> {
        loop {
            match self.guests.0.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(100)).await,
                Err(TryLockError::Error(error)) => {
                    return Err(error).context("Waiting for other processes failed");
                }
            }
        }
    }
}

impl GuestPass {
    /// Takes a pass, unless the process that runs the cluster is about to stop it.
    pub fn take(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let file = open(&guests(data_dir)).context("The data directory cannot be used")?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: Locked(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).context("The data directory cannot be locked"),
        }
    }
}

fn guests(data_dir: &Path) -> PathBuf {
    data_dir.join("lock.guests")
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn note_process(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
