//! Why the private PostgreSQL does not start, in words that say what helps.

use std::path::PathBuf;

/// Something that only the operator can mend.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another process runs the cluster.
    #[error(
        "The data directory {} is in use{}. Stop that process first, or choose another directory with --data-dir.",
        data_dir.display(), holder.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        data_dir: PathBuf,
        /// The process that holds it, where it is known.
        holder: Option<u32>,
    },
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL's programs initdb and postgres (version {OLDEST} or newer) were not found in {searched}. Install them \
         (Debian, Ubuntu: apt-get install postgresql), say where they are with DATAPORTER_PG_BIN, or name a running \
         database with DATABASE_URL."
    )]
    NotInstalled {
        /// Where they were searched for.
        searched: String,
    },
    /// The cluster was made by a version that is not installed.
    #[error(
        "The database in {} was made by PostgreSQL {made_by}, but what is installed is PostgreSQL {installed}. Install \
         version {made_by} as well (Debian, Ubuntu: apt-get install postgresql-{made_by}), or move the database on with \
         pg_upgrade, or begin a new one in another --data-dir.",
        data_dir.display()
    )]
    OtherVersion {
        /// The data directory.
        data_dir: PathBuf,
        /// The version that made the cluster.
        made_by: u32,
        /// The versions that are installed.
        installed: String,
    },
    /// The cluster belongs to somebody else.
    #[error("The database in {} belongs to the user {belongs_to}. Run dataporter as that user, or as root.", directory.display())]
    NotOurs {
        /// The cluster's directory.
        directory: PathBuf,
        /// Its owner.
        belongs_to: String,
    },
    /// We are root, and there is nobody to run the cluster as.
    #[error(
        "PostgreSQL does not run as root, and there is no user named postgres or nobody that it could run as."
    )]
    NobodyToRunAs,
    /// The cluster's user cannot get to it.
    #[error(
        "The user {user}, whom the database belongs to, cannot enter {}. Let other users pass through the directories \
         above it (chmod o+x), or choose another directory with --data-dir.",
        directory.display()
    )]
    CannotEnter {
        /// The cluster's user.
        user: String,
        /// The cluster's directory.
        directory: PathBuf,
    },
    /// The cluster lay outside the data directory and is gone.
    #[error("{} leads to {}, which is gone. Bring it back, or remove the link to begin a new database.", link.display(), target.display())]
    Gone {
        /// The link in the data directory.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The data directory itself cannot be used.
    #[error("The data directory {} cannot be used: {source}", data_dir.display())]
    Unusable {
        /// The directory.
        data_dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The oldest version of PostgreSQL that will do.
pub(super) const OLDEST: u32 = 15;
