//! Where the cluster is: in the data directory, or where a link there leads to.
//!
//! PostgreSQL runs as an unprivileged user when we are root, and that user cannot get into a data directory below, say,
//! `/root`. The cluster is then kept under `/var/lib/dataporter`, and a link in the data directory leads to it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};
use tracing::info;

use super::Refusal;
use super::owner::Owner;

/// Where the clusters are that cannot be in their data directory.
const ELSEWHERE: &str = "/var/lib/dataporter";

/// The place of a data directory's cluster.
pub(super) struct Home {
    link: PathBuf,
}

impl Home {
    /// The place of this data directory's cluster.
    pub fn of(data_dir: &Path) -> Self {
        Self { link: data_dir.join("postgres") }
    }

    /// The directory, if it is there already.
    pub fn existing(&self) -> Result<Option<PathBuf>, Refusal> {
        match self.link.canonicalize() {
            Ok(directory) => Ok(Some(directory)),
            Err(_) => match self.link.read_link() {
                Ok(target) => Err(Refusal::Gone { link: self.link.clone(), target }),
                Err(_) => Ok(None),
            },
        }
    }

    /// The directory, made if need be, so that its owner can get there.
    pub fn make(&self, owner: &Owner) -> anyhow::Result<PathBuf> {
        if let Some(directory) = self.existing()? {
            if owner.can_enter(&directory)? {
                return Ok(directory);
            }
            // Nothing is in it yet when we were stopped before it was given to its owner.
            if fs::remove_dir(&directory).is_err() {
                return Err(Refusal::CannotEnter { user: owner.name().to_owned(), directory }.into());
            }
        }
        make_for(owner, &self.link)?;
        if owner.can_enter(&self.link)? {
            return Ok(self.link.canonicalize()?);
        }
        fs::remove_dir(&self.link)?;
        self.make_elsewhere(owner).with_context(|| format!("The database cannot be kept in {ELSEWHERE}"))
    }

    fn make_elsewhere(&self, owner: &Owner) -> anyhow::Result<PathBuf> {
        DirBuilder::new().mode(0o711).recursive(true).create(ELSEWHERE)?;
        // A new name each time: a data directory that was removed and made again begins with an empty database.
        let name = Alphanumeric.sample_string(&mut rand::rng(), 12);
        let directory = Path::new(ELSEWHERE).join(name);
        make_for(owner, &directory)?;
        if !owner.can_enter(&directory)? {
            fs::remove_dir(&directory)?;
            return Err(Refusal::CannotEnter { user: owner.name().to_owned(), directory }.into());
        }
        symlink(&directory, &self.link)?;
        info!(
            "The user {} cannot get into the data directory, so the database is kept in {}",
            owner.name(),
            directory.display()
        );
        Ok(directory)
    }
}

/// Makes the data directory if need be, so that the cluster's user can pass through it.
pub(super) fn make_data_dir(data_dir: &Path) -> Result<PathBuf, Refusal> {
    let unusable = |source| Refusal::Unusable { data_dir: data_dir.to_owned(), source };
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent).map_err(unusable)?;
    }
    match DirBuilder::new().mode(0o711).create(data_dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unusable(error)),
        _ => data_dir.canonicalize().map_err(unusable),
    }
}

fn make_for(owner: &Owner, directory: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(directory)?;
    owner.take_over(directory)
}
