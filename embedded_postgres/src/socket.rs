//! The directory of the cluster's socket.
//!
//! The path of a Unix socket is limited to 107 bytes. If the path of the cluster is too long for that, the
//! socket is in a private directory under `/tmp`, and a symlink in the data directory points to it.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::unistd::mkdtemp;

use super::owner::Owner;

const MAX_PATH_LENGTH: usize = 107;
const SOCKET_NAME: &str = "/.s.PGSQL.5432";

/// The socket directory for a cluster that is about to start. Creates it if needed.
pub(super) fn find_or_create(data_dir: &Path, cluster: &Path, owner: &Owner) -> anyhow::Result<PathBuf> {
    if fits(cluster) {
        return Ok(cluster.to_owned());
    }
    if let Ok(directory) = link(data_dir).read_link() {
        let is_private = fs::symlink_metadata(&directory).is_ok_and(|metadata| {
            metadata.is_dir() && owner.has_uid(metadata.uid()) && metadata.mode() & 0o777 == 0o700
        });
        if is_private {
            return Ok(directory);
        }
        fs::remove_file(link(data_dir))?;
    }
    let directory = mkdtemp("/tmp/dataporter-XXXXXX")
        .context("Failed to create a directory for the database's socket in /tmp")?;
    owner.take_ownership(&directory)?;
    symlink(&directory, link(data_dir))?;
    Ok(directory)
}

/// The socket directory of a cluster that may be running.
pub(super) fn find(data_dir: &Path, cluster: &Path) -> Option<PathBuf> {
    if fits(cluster) { Some(cluster.to_owned()) } else { link(data_dir).read_link().ok() }
}

fn fits(directory: &Path) -> bool {
    directory.as_os_str().as_bytes().len() + SOCKET_NAME.len() <= MAX_PATH_LENGTH
}

fn link(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.socket")
}
