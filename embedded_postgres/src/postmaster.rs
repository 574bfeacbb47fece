//! Starts and stops the PostgreSQL server of the cluster.

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
use super::owner::Owner;
use super::stale_processes;
use super::upgrade::FileIdentity;

/// After this long a message says that the start takes a while: a database that was killed has to recover
/// first.
const SLOW_START_NOTICE: Duration = Duration::from_secs(10);
/// The time limit of a start.
const START_TIMEOUT: Duration = Duration::from_mins(15);

/// Replaces the shell with PostgreSQL and appends its output to the log next to the cluster. The working
/// directory remains the cluster, which identifies the cluster's processes.
const EXEC_SCRIPT: &str = r#"umask 077; exec "$@" >>../log 2>&1"#;

/// The PL/pgSQL library, which our triggers need. Because it is preloaded, new connections do not depend on
/// its file, which an upgrade may have replaced.
const PRELOADED_LIBRARY: &str = "plpgsql";

/// How to run PostgreSQL.
#[derive(Debug)]
pub(super) struct Postmaster {
    pub cluster: Cluster,
    pub owner: Owner,
    pub binaries: Binaries,
    pub socket_directory: PathBuf,
    pub max_connections: usize,
    /// How often to check whether the installed program was replaced.
    pub upgrade_check_interval: Duration,
}

/// A running PostgreSQL server. Dropping it tells it to stop, without waiting.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    /// The executable that it was started from.
    program: Option<FileIdentity>,
}

impl Server {
    /// Waits until it exits.
    pub async fn wait_for_exit(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// The executable that it was started from, as it was at the start.
    pub fn program(&self) -> Option<FileIdentity> {
        self.program
    }

    /// Stops it and waits until it has exited.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let (exited, stopped) =
            tokio::join!(self.process.wait(), stale_processes::stop(pid, || kill(pid, None).is_ok()));
        exited?;
        stopped
    }

    /// Its process id, unless it has exited.
    fn pid(&self) -> Option<Pid> {
        self.process.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            // There is no caller to report an error to. The next start cleans up what remains.
            kill(pid, Signal::SIGINT).ok();
        }
    }
}

impl Postmaster {
    /// Cleans up after an earlier server, starts PostgreSQL and waits until it accepts connections.
    pub async fn start(&self) -> anyhow::Result<Server> {
        let directory = self.cluster.directory();
        stale_processes::clean_up(&directory, &self.socket_directory).await?;
        let log_start = self.cluster.log().metadata().map_or(0, |log| log.len());
        let preloaded = self.preloaded_libraries().await?;
        // Read before the start: if it is replaced in between, the server counts as outdated and is
        // restarted.
        let program = FileIdentity::read(&self.binaries);
        let mut command = self.owner.command("/bin/sh", &directory);
        command
            .args(["-c", EXEC_SCRIPT, "sh"])
            .arg(self.binaries.program("postgres"))
            .arg("-D")
            .arg(&directory)
            .args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_permissions=0700"])
            .args(["-c", &format!("max_connections={}", self.max_connections)])
            .args(["-c", &format!("shared_preload_libraries={preloaded}")])
            .args(["-c", &format!("unix_socket_directories={}", self.quoted_socket_directory()?)])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Command::from(command).spawn().context("Failed to run PostgreSQL")?;
        let mut server = Server { process, program };
        self.wait_until_ready(&mut server, log_start).await?;
        Ok(server)
    }

    /// The libraries that the cluster's configuration preloads, plus ours.
    async fn preloaded_libraries(&self) -> anyhow::Result<String> {
        let directory = self.cluster.directory();
        let mut command = self.owner.command(self.binaries.program("postgres"), &directory);
        command.args(["-C", "shared_preload_libraries", "-D"]).arg(&directory);
        let output = Command::from(command).output().await.context("Failed to run PostgreSQL")?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("Failed to read PostgreSQL's configuration: {}", stderr.trim());
        }
        let configured =
            String::from_utf8(output.stdout).context("shared_preload_libraries is not valid UTF-8")?;
        Ok(with_preloaded(configured.trim()))
    }

    async fn wait_until_ready(&self, server: &mut Server, log_start: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut is_slow_logged = false;
        loop {
            if let Some(status) = server.process.try_wait()? {
                bail!("PostgreSQL failed to start ({status}): {}", self.log_since(log_start));
            }
            if Administrator::connect(&self.socket_directory).await.is_ok() {
                return Ok(());
            }
            if began.elapsed() > START_TIMEOUT {
                bail!("PostgreSQL does not accept connections; see {}", self.cluster.log().display());
            }
            if began.elapsed() > SLOW_START_NOTICE && !is_slow_logged {
                info!("PostgreSQL is still starting; it may be recovering from a crash");
                is_slow_logged = true;
            }
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// The setting is a comma-separated list, so a path that contains a comma must be quoted.
    fn quoted_socket_directory(&self) -> anyhow::Result<String> {
        let path = str::from_utf8(self.socket_directory.as_os_str().as_bytes())
            .context("The path of the data directory is not valid UTF-8")?;
        Ok(format!("\"{}\"", path.replace('"', "\"\"")))
    }

    /// The last lines that PostgreSQL has logged since `log_start`, for an error message.
    fn log_since(&self, log_start: u64) -> String {
        let no_follow = OFlag::O_NOFOLLOW.bits();
        let log = OpenOptions::new().read(true).custom_flags(no_follow).open(self.cluster.log());
        let mut output = Vec::new();
        if log.and_then(|mut log| log.read_to_end(&mut output)).is_err() {
            return format!("see {}", self.cluster.log().display());
        }
        let since = output.get(usize::try_from(log_start).unwrap_or(0)..).unwrap_or(&output);
        let text = String::from_utf8_lossy(since);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

/// Adds our library to a list of libraries, if it is missing.
fn with_preloaded(configured: &str) -> String {
    let is_ours = |library: &str| library.trim().trim_matches('"') == PRELOADED_LIBRARY;
    match configured {
        "" => PRELOADED_LIBRARY.to_owned(),
        _ if configured.split(',').any(is_ours) => configured.to_owned(),
        _ => format!("{configured},{PRELOADED_LIBRARY}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preloading_keeps_other_libraries_and_adds_ours_once() {
        assert_eq!(with_preloaded(""), "plpgsql");
        assert_eq!(
            with_preloaded("auto_explain, \"pg_stat_statements\""),
            "auto_explain, \"pg_stat_statements\",plpgsql"
        );
        assert_eq!(with_preloaded("auto_explain, \"plpgsql\""), "auto_explain, \"plpgsql\"");
    }
}
