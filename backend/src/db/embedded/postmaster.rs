//! One run of PostgreSQL on the cluster.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tracing::info;

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::connect::Administrator;
use super::leftovers;
use super::owner::Owner;
use super::upgrade::Identity;

/// After this long it is said that the start takes its time: a database that was killed recovers first.
const SLOW_START: Duration = Duration::from_secs(10);
/// After this long the start has failed.
const LONGEST_START: Duration = Duration::from_mins(15);

/// Becomes PostgreSQL, with its words appended to the log beside the cluster. It begins in the cluster, where it stays,
/// so that it can be told from other processes at any moment.
const RUN: &str = r#"umask 077; exec "$@" >>../log 2>&1"#;

/// The library of PL/pgSQL, which the triggers are written in. Preloaded, it works in new connections even after its file
/// was replaced.
const PRELOADED: &str = "plpgsql";

/// How PostgreSQL is to be run.
#[derive(Debug)]
pub(super) struct Postmaster {
    pub cluster: Cluster,
    pub owner: Owner,
    pub binaries: Binaries,
    pub socket_directory: PathBuf,
    /// The greatest number of connections.
    pub connections: usize,
}

/// PostgreSQL, running. Dropped, it is told to stop, and nobody waits for it.
#[derive(Debug)]
pub(super) struct Run {
    process: Child,
    /// The program that it runs.
    program: Option<Identity>,
}

impl Run {
    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// The program that it runs, as it was when it was started.
    pub fn program(&self) -> Option<Identity> {
        self.program
    }

    /// Stops it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let (ended, stopped) =
            tokio::join!(self.process.wait(), leftovers::stop(pid, || kill(pid, None).is_ok()));
        ended?;
        stopped
    }

    /// Its process, unless it has ended.
    fn pid(&self) -> Option<Pid> {
        self.process.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            // Nobody is left to report to; the next start clears away what remains.
            kill(pid, Signal::SIGINT).ok();
        }
    }
}

impl Postmaster {
    /// Clears away what an earlier run left, starts PostgreSQL and waits until it answers.
    pub async fn run(&self) -> anyhow::Result<Run> {
        let directory = self.cluster.directory();
        leftovers::clear(&directory, &self.socket_directory).await?;
        let log_begins = self.cluster.log().metadata().map_or(0, |log| log.len());
        let preloaded = self.preloaded_libraries().await?;
        // Before it is started: replaced meanwhile, it is taken for an older one and started once more.
        let program = Identity::of(&self.binaries);
        let mut command = self.owner.command("/bin/sh", &directory);
        command
            .args(["-c", RUN, "sh"])
            .arg(self.binaries.program("postgres"))
            .arg("-D")
            .arg(&directory)
            .args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_permissions=0700"])
            .args(["-c", &format!("max_connections={}", self.connections)])
            .args(["-c", &format!("shared_preload_libraries={preloaded}")])
            .args(["-c", &format!("unix_socket_directories={}", self.quoted_socket_directory()?)])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Command::from(command).spawn().context("PostgreSQL cannot be run")?;
        let mut run = Run { process, program };
        self.wait_until_ready(&mut run, log_begins).await?;
        Ok(run)
    }

    /// What the cluster's configuration has loaded with the server, and what we need.
    async fn preloaded_libraries(&self) -> anyhow::Result<String> {
        let directory = self.cluster.directory();
        let mut command = self.owner.command(self.binaries.program("postgres"), &directory);
        command.args(["-C", "shared_preload_libraries", "-D"]).arg(&directory);
        let said = Command::from(command).output().await.context("PostgreSQL cannot be run")?;
        if !said.status.success() {
            let why = String::from_utf8_lossy(&said.stderr);
            bail!("The configuration of PostgreSQL cannot be read: {}", why.trim());
        }
        let configured = String::from_utf8(said.stdout).context("shared_preload_libraries is not UTF-8")?;
        Ok(with_preloaded(configured.trim()))
    }

    async fn wait_until_ready(&self, run: &mut Run, log_begins: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut said_slow = false;
        loop {
            if let Some(status) = run.process.try_wait()? {
                bail!("PostgreSQL did not start ({status}): {}", self.said_since(log_begins));
            }
            if Administrator::connect(&self.socket_directory).await.is_ok() {
                return Ok(());
            }
            if begun.elapsed() > LONGEST_START {
                bail!("PostgreSQL does not answer; see {}", self.cluster.log().display());
            }
            if begun.elapsed() > SLOW_START && !said_slow {
                info!("PostgreSQL is still starting; it may be recovering what was written last");
                said_slow = true;
            }
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// The setting is a list: quotes keep a path with a comma in it together.
    fn quoted_socket_directory(&self) -> anyhow::Result<String> {
        let path = str::from_utf8(self.socket_directory.as_os_str().as_bytes())
            .context("The data directory's path is not UTF-8")?;
        Ok(format!("\"{}\"", path.replace('"', "\"\"")))
    }

    /// The end of what PostgreSQL has said since, for an error message.
    fn said_since(&self, log_begins: u64) -> String {
        let no_links = OFlag::O_NOFOLLOW.bits();
        let log = OpenOptions::new().read(true).custom_flags(no_links).open(self.cluster.log());
        let mut said = Vec::new();
        if log.and_then(|mut log| log.read_to_end(&mut said)).is_err() {
            return format!("see {}", self.cluster.log().display());
        }
        let since = said.get(usize::try_from(log_begins).unwrap_or(0)..).unwrap_or(&said);
        let text = String::from_utf8_lossy(since);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

/// A list of libraries to load, with ours.
fn with_preloaded(configured: &str) -> String {
    let is_ours = |library: &str| library.trim().trim_matches('"') == PRELOADED;
    match configured {
        "" => PRELOADED.to_owned(),
        _ if configured.split(',').any(is_ours) => configured.to_owned(),
        _ => format!("{configured},{PRELOADED}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_already_stays_and_ours_is_there_once() {
        assert_eq!(with_preloaded(""), "plpgsql");
        assert_eq!(
            with_preloaded("auto_explain, \"pg_stat_statements\""),
            "auto_explain, \"pg_stat_statements\",plpgsql"
        );
        assert_eq!(with_preloaded("auto_explain, \"plpgsql\""), "auto_explain, \"plpgsql\"");
    }
}
