//! The operating system user that owns and runs the cluster.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use nix::unistd::{Uid, User, chown, geteuid};

use super::StartError;

/// The user of the cluster: our own, or an unprivileged one if we are root, because PostgreSQL refuses to run
/// as root.
///
/// As root we never write inside the cluster ourselves: a compromised user could redirect our writes with a
/// symlink. A process of that user writes there instead.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    user: User,
    /// Whether we are root and must switch to that user.
    must_switch_user: bool,
}

impl Owner {
    /// The owner of an existing cluster, or the user that will own a new one.
    pub fn for_cluster(existing: Option<&Path>) -> anyhow::Result<Self> {
        let own_uid = geteuid();
        let owner_uid =
            existing.map(|directory| directory.metadata().map(|found| Uid::from_raw(found.uid())));
        match owner_uid.transpose()? {
            None if own_uid.is_root() => Self::unprivileged_user(),
            None => Ok(Self { user: user_by_id(own_uid)?, must_switch_user: false }),
            Some(uid) if uid == own_uid && !own_uid.is_root() => {
                Ok(Self { user: user_by_id(own_uid)?, must_switch_user: false })
            }
            Some(uid) if uid.is_root() && own_uid.is_root() => Self::unprivileged_user(),
            Some(uid) if own_uid.is_root() => Ok(Self { user: user_by_id(uid)?, must_switch_user: true }),
            Some(uid) => Err(StartError::WrongOwner {
                directory: existing.map(PathBuf::from).unwrap_or_default(),
                owner_name: user_by_id(uid).map_or_else(|_| uid.to_string(), |user| user.name),
            }
            .into()),
        }
    }

    fn unprivileged_user() -> anyhow::Result<Self> {
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name)? {
                return Ok(Self { user, must_switch_user: true });
            }
        }
        Err(StartError::NoUnprivilegedUser.into())
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.user.name
    }

    /// Whether the user has this id.
    pub fn has_uid(&self, uid: u32) -> bool {
        self.user.uid.as_raw() == uid
    }

    /// The names of the users that may connect: the cluster's owner, and our own user.
    pub fn allowed_users(&self) -> anyhow::Result<Vec<String>> {
        let mut names = vec![self.user.name.clone()];
        if self.must_switch_user {
            names.push(user_by_id(geteuid())?.name);
        }
        Ok(names)
    }

    /// A command that runs as this user in this directory, in its own process group so that it gets no
    /// signals from our terminal.
    pub fn command(&self, program: impl AsRef<Path>, directory: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(directory).process_group(0).stdin(Stdio::null());
        for variable in
            ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGSERVICE", "PGTZ"]
        {
            command.env_remove(variable);
        }
        if self.must_switch_user {
            command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        }
        command
    }

    /// Whether this user can enter a directory.
    pub fn can_enter(&self, directory: &Path) -> io::Result<bool> {
        match self.command("/bin/sh", directory).args(["-c", ":"]).status() {
            Ok(status) => Ok(status.success()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes this user the owner of a directory that we have just created, in a place that no other user can
    /// write to.
    pub fn take_ownership(&self, directory: &Path) -> io::Result<()> {
        if self.must_switch_user {
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
        let mut stdin = shell.stdin.take().expect("standard input is a pipe");
        stdin.write_all(text.as_bytes())?;
        drop(stdin);
        if !shell.wait()?.success() {
            bail!("Failed to write {}", directory.join(name).display());
        }
        Ok(())
    }
}

fn user_by_id(uid: Uid) -> anyhow::Result<User> {
    User::from_uid(uid)?.with_context(|| format!("User id {uid} has no entry in the system's user database"))
}
