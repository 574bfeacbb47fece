//! File locks that show which process runs the cluster of a data directory, and whether others use it.
//!
//! The kernel releases the locks when a process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::sleep;

use super::StartError;

/// The exclusive right to run the cluster.
#[derive(Debug)]
pub(super) struct ExclusiveLock {
    _file: LockedFile,
    shared_lock_file: LockedFile,
}

/// Acquired by a process that uses a cluster which another process runs.
#[derive(Debug)]
pub(super) struct SharedLock {
    _file: LockedFile,
}

/// A locked file. It is unlocked when it is dropped.
///
/// Closing the file would not be enough: a child process shares it from fork to exec, and would keep it
/// locked during that time.
#[derive(Debug)]
struct LockedFile(File);

impl Drop for LockedFile {
    fn drop(&mut self) {
        // If unlocking fails, closing the file unlocks it.
        self.0.unlock().ok();
    }
}

impl ExclusiveLock {
    /// Acquires the lock. Fails if another process has it.
    pub fn acquire(data_dir: &Path) -> Result<Self, StartError> {
        let data_dir_unusable =
            |source| StartError::DataDirUnusable { data_dir: data_dir.to_owned(), source };
        let mut file = open(&data_dir.join("lock")).map_err(data_dir_unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder_pid = String::new();
                file.read_to_string(&mut holder_pid).map_err(data_dir_unusable)?;
                return Err(StartError::InUse {
                    data_dir: data_dir.to_owned(),
                    holder_pid: holder_pid.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(data_dir_unusable(error)),
        }
        let shared_lock_file = open(&shared_lock_path(data_dir)).map_err(data_dir_unusable)?;
        write_pid(&mut file).map_err(data_dir_unusable)?;
        Ok(Self { _file: LockedFile(file), shared_lock_file: LockedFile(shared_lock_file) })
    }

    /// Waits until no other process uses the cluster, and then prevents new ones from using it.
    pub async fn wait_for_shared_locks(&self) -> anyhow::Result<()> {
        loop {
            match self.shared_lock_file.0.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(100)).await,
                Err(TryLockError::Error(error)) => {
                    return Err(error).context("Failed to wait for other processes");
                }
            }
        }
    }
}

impl SharedLock {
    /// Acquires the lock, unless the process that runs the cluster is about to stop it.
    pub fn acquire(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let file =
            open(&shared_lock_path(data_dir)).context("Failed to open a lock file in the data directory")?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: LockedFile(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).context("Failed to lock the data directory"),
        }
    }
}

fn shared_lock_path(data_dir: &Path) -> PathBuf {
    data_dir.join("lock.shared")
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
