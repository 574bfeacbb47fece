//! The operating-system user that the cluster belongs to and runs as.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use nix::unistd::{Uid, User, chown, geteuid};

use super::Refusal;

/// The user of the cluster: ourselves, or, since PostgreSQL does not run as root, somebody unprivileged.
///
/// As root we never write inside the cluster ourselves: whoever took it over could lead us elsewhere by a link. What is
/// to be written there is written by a process of its user.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    user: User,
    /// Whether we are root and must become that user first.
    is_other: bool,
}

impl Owner {
    /// The user that owns this cluster, or is to own a new one.
    pub fn of(existing: Option<&Path>) -> anyhow::Result<Self> {
        let me = geteuid();
        let belongs_to =
            existing.map(|directory| directory.metadata().map(|found| Uid::from_raw(found.uid())));
        match belongs_to.transpose()? {
            None if me.is_root() => Self::unprivileged(),
            None => Ok(Self { user: known(me)?, is_other: false }),
            Some(uid) if uid == me && !me.is_root() => Ok(Self { user: known(me)?, is_other: false }),
            Some(uid) if uid.is_root() && me.is_root() => Self::unprivileged(),
            Some(uid) if me.is_root() => Ok(Self { user: known(uid)?, is_other: true }),
            Some(uid) => Err(Refusal::NotOurs {
                directory: existing.map(PathBuf::from).unwrap_or_default(),
                belongs_to: known(uid).map_or_else(|_| uid.to_string(), |user| user.name),
            }
            .into()),
        }
    }

    fn unprivileged() -> anyhow::Result<Self> {
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name)? {
                return Ok(Self { user, is_other: true });
            }
        }
        Err(Refusal::NobodyToRunAs.into())
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.user.name
    }

    /// Whether the user's id is this one.
    pub fn is(&self, uid: u32) -> bool {
        self.user.uid.as_raw() == uid
    }

    /// The names of the users that may connect: the cluster's, and ours.
    pub fn who_may_connect(&self) -> anyhow::Result<Vec<String>> {
        let mut names = vec![self.user.name.clone()];
        if self.is_other {
            names.push(known(geteuid())?.name);
        }
        Ok(names)
    }

    /// A program that runs as this user, in this directory, untouched by the signals that our terminal sends.
    pub fn command(&self, program: impl AsRef<Path>, directory: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(directory).process_group(0).stdin(Stdio::null());
        for variable in
            ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGSERVICE", "PGTZ"]
        {
            command.env_remove(variable);
        }
        if self.is_other {
            command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        }
        command
    }

    /// Whether this user can get into a directory.
    pub fn can_enter(&self, directory: &Path) -> io::Result<bool> {
        match self.command("/bin/sh", directory).args(["-c", ":"]).status() {
            Ok(status) => Ok(status.success()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives this user a directory that we have just made, in a place where nobody else may.
    pub fn take_over(&self, directory: &Path) -> io::Result<()> {
        if self.is_other {
            chown(directory, Some(self.user.uid), Some(self.user.gid))?;
        }
        Ok(())
    }

    /// Writes a file in a directory of this user.
    pub fn write(&self, directory: &Path, name: &str, text: &str) -> anyhow::Result<()> {
        let mut shell = self
            .command("/bin/sh", directory)
            .args(["-c", "umask 077; cat >\"$1\"", "sh", name])
            .stdin(Stdio::piped())
            .spawn()?;
        let mut stdin = shell.stdin.take().expect("its standard input is a pipe");
        stdin.write_all(text.as_bytes())?;
        drop(stdin);
        if !shell.wait()?.success() {
            bail!("{} cannot be written", directory.join(name).display());
        }
        Ok(())
    }
}

fn known(uid: Uid) -> anyhow::Result<User> {
    User::from_uid(uid)?
        .with_context(|| format!("The user id {uid} has no name in the system's list of users"))
}
