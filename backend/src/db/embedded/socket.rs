//! The directory of the cluster's socket.
//!
//! A socket's path has 107 bytes at most. Where the cluster's own directory is too deep down for that, the socket is in
//! a private directory under `/tmp`, and a link in the data directory leads to it.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::unistd::mkdtemp;

use super::owner::Owner;

const LONGEST_PATH: usize = 107;
const NAME: &str = "/.s.PGSQL.5432";

/// The directory for the socket of a cluster that is about to start.
pub(super) fn make(data_dir: &Path, cluster: &Path, owner: &Owner) -> anyhow::Result<PathBuf> {
    if fits(cluster) {
        return Ok(cluster.to_owned());
    }
    if let Ok(directory) = link(data_dir).read_link() {
        let private = fs::symlink_metadata(&directory)
            .is_ok_and(|found| found.is_dir() && owner.is(found.uid()) && found.mode() & 0o777 == 0o700);
        if private {
            return Ok(directory);
        }
        fs::remove_file(link(data_dir))?;
    }
    let directory =
        mkdtemp("/tmp/dataporter-XXXXXX").context("No directory for the database's socket in /tmp")?;
    owner.take_over(&directory)?;
    symlink(&directory, link(data_dir))?;
    Ok(directory)
}

/// The directory of the socket of a cluster that may be running.
pub(super) fn find(data_dir: &Path, cluster: &Path) -> Option<PathBuf> {
    if fits(cluster) { Some(cluster.to_owned()) } else { link(data_dir).read_link().ok() }
}

fn fits(directory: &Path) -> bool {
    directory.as_os_str().as_bytes().len() + NAME.len() <= LONGEST_PATH
}

fn link(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.socket")
}
