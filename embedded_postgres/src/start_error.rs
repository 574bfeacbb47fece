//! Why the private PostgreSQL cannot start, with what to do about it.

use std::path::PathBuf;

/// An error that only the operator can fix.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process is using the data directory.
    #[error(
        "The data directory {} is in use{}. Stop that process first, or choose another directory with \
         --data-dir.",
        data_dir.display(), holder_pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        data_dir: PathBuf,
        /// The process that uses it, if known.
        holder_pid: Option<u32>,
    },
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL {MIN_VERSION} or newer (the programs initdb and postgres) was not found in {searched}. \
         Install it (Debian, Ubuntu: apt-get install postgresql), set DATAPORTER_PG_BIN to the directory of its \
         programs, or set DATABASE_URL to an existing database."
    )]
    NotInstalled {
        /// The directories that were searched.
        searched: String,
    },
    /// The cluster was created by a version of PostgreSQL that is not installed.
    #[error(
        "The database in {} was created by PostgreSQL {cluster_version}, but only PostgreSQL {installed} is \
         installed. Install version {cluster_version} as well (Debian, Ubuntu: apt-get install \
         postgresql-{cluster_version}), upgrade the database with pg_upgrade, or start a new one with another \
         --data-dir.",
        data_dir.display()
    )]
    MissingVersion {
        data_dir: PathBuf,
        /// The major version that created the cluster.
        cluster_version: u32,
        /// The installed major versions, separated by commas.
        installed: String,
    },
    /// The cluster belongs to another user.
    #[error(
        "The database in {} belongs to the user {owner_name}. Run dataporter as that user, or as root.",
        directory.display()
    )]
    WrongOwner { directory: PathBuf, owner_name: String },
    /// We are root, and there is no unprivileged user to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root, and neither of the users postgres and nobody exists. Create one of \
         them."
    )]
    NoUnprivilegedUser,
    /// The cluster's user cannot enter its directory.
    #[error(
        "The user {user}, who owns the database, cannot enter {}. Make the directories above it accessible \
         (chmod o+x), or choose another directory with --data-dir.",
        directory.display()
    )]
    CannotEnter { user: String, directory: PathBuf },
    /// The cluster was outside the data directory and no longer exists.
    #[error(
        "{} points to {}, which does not exist. Restore that directory, or remove the link to start a new \
         database.",
        link.display(), target.display()
    )]
    MissingLinkTarget {
        /// The symlink in the data directory.
        link: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// The data directory cannot be used.
    #[error("Failed to use the data directory {}: {source}", data_dir.display())]
    DataDirUnusable { data_dir: PathBuf, source: std::io::Error },
}

/// The oldest supported major version of PostgreSQL.
pub(super) const MIN_VERSION: u32 = 15;
