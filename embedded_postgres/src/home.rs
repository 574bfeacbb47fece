//! The cluster's directory: in the data directory, or where a symlink there points.
//!
//! When we are root, PostgreSQL runs as an unprivileged user, who cannot enter a data directory below
//! `/root`, for example. The cluster is then kept under `/var/lib/dataporter`, and a symlink in the data
//! directory points to it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};
use tracing::info;

use super::StartError;
use super::owner::Owner;

/// The parent directory of clusters that cannot be in their data directory.
const FALLBACK_PARENT: &str = "/var/lib/dataporter";

/// The location of a data directory's cluster.
pub(super) struct Home {
    link: PathBuf,
}

impl Home {
    /// The location of this data directory's cluster.
    pub fn in_data_dir(data_dir: &Path) -> Self {
        Self { link: data_dir.join("postgres") }
    }

    /// The cluster's directory, if it exists.
    pub fn existing(&self) -> Result<Option<PathBuf>, StartError> {
        match self.link.canonicalize() {
            Ok(directory) => Ok(Some(directory)),
            Err(_) => match self.link.read_link() {
                Ok(target) => Err(StartError::MissingLinkTarget { link: self.link.clone(), target }),
                Err(_) => Ok(None),
            },
        }
    }

    /// The cluster's directory. Creates it if needed, where its owner can enter it.
    pub fn find_or_create(&self, owner: &Owner) -> anyhow::Result<PathBuf> {
        if let Some(directory) = self.existing()? {
            if owner.can_enter(&directory)? {
                return Ok(directory);
            }
            // It is empty if we were stopped before it was given to its owner.
            if fs::remove_dir(&directory).is_err() {
                return Err(StartError::CannotEnter { user: owner.name().to_owned(), directory }.into());
            }
        }
        create_for(owner, &self.link)?;
        if owner.can_enter(&self.link)? {
            return Ok(self.link.canonicalize()?);
        }
        fs::remove_dir(&self.link)?;
        self.create_fallback(owner)
            .with_context(|| format!("Failed to create a directory for the database in {FALLBACK_PARENT}"))
    }

    fn create_fallback(&self, owner: &Owner) -> anyhow::Result<PathBuf> {
        DirBuilder::new().mode(0o711).recursive(true).create(FALLBACK_PARENT)?;
        // A random name, so that a data directory that was deleted and created again gets an empty database.
        let name = Alphanumeric.sample_string(&mut rand::rng(), 12);
        let directory = Path::new(FALLBACK_PARENT).join(name);
        create_for(owner, &directory)?;
        if !owner.can_enter(&directory)? {
            fs::remove_dir(&directory)?;
            return Err(StartError::CannotEnter { user: owner.name().to_owned(), directory }.into());
        }
        symlink(&directory, &self.link)?;
        info!(
            "The user {} cannot enter the data directory, so the database is kept in {}",
            owner.name(),
            directory.display()
        );
        Ok(directory)
    }
}

/// Creates the data directory if needed, such that the cluster's user can pass through it.
pub(super) fn create_data_dir(data_dir: &Path) -> Result<PathBuf, StartError> {
    let data_dir_unusable = |source| StartError::DataDirUnusable { data_dir: data_dir.to_owned(), source };
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent).map_err(data_dir_unusable)?;
    }
    match DirBuilder::new().mode(0o711).create(data_dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(data_dir_unusable(error)),
        _ => data_dir.canonicalize().map_err(data_dir_unusable),
    }
}

fn create_for(owner: &Owner, directory: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(directory)?;
    owner.take_ownership(directory)
}
