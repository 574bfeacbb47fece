//! Runs `psql` and `pgbench` on a hub's embedded database, as a reference and to fill tables fast.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The name of the hub's database and of the role that owns it.
const DATABASE: &str = "dataporter";

/// A client for an embedded database.
pub struct Psql {
    socket_directory: PathBuf,
}

impl Psql {
    /// A client for the embedded database of a running hub with this data directory.
    pub fn of(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("postgres/cluster/postmaster.pid");
        let pid_file =
            std::fs::read_to_string(&path).with_context(|| format!("Failed to read {}", path.display()))?;
        // The fifth line holds the socket directory.
        let socket_directory = pid_file.lines().nth(4).context("postmaster.pid has no socket directory")?;
        Ok(Self { socket_directory: PathBuf::from(socket_directory) })
    }

    /// Runs SQL or psql meta-commands, and returns the output.
    pub fn run(&self, script: &str) -> Result<String> {
        let mut psql = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("Failed to run psql")?;
        psql.stdin
            .take()
            .context("Failed to open the standard input of psql")?
            .write_all(script.as_bytes())?;
        let output = psql.wait_with_output()?;
        if !output.status.success() {
            bail!("psql failed: {script}");
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Measures the duration of one command, including the start of psql.
    pub fn time(&self, command: &str) -> Result<Duration> {
        let began = Instant::now();
        let status = self.command().stdout(Stdio::null()).args(["-c", command]).status()?;
        if !status.success() {
            bail!("psql failed: {command}");
        }
        Ok(began.elapsed())
    }

    /// Runs a script with `pgbench` in prepared mode. Returns the transactions per second.
    pub fn pgbench(&self, script: &Path, clients: usize, seconds: u64) -> Result<f64> {
        let output = Command::new("pgbench")
            .args(["-n", "-M", "prepared", "-j", "2", "-U", DATABASE, "-h"])
            .arg(&self.socket_directory)
            .args(["-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"])
            .arg(script)
            .arg(DATABASE)
            .output()
            .context("Failed to run pgbench")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let rate = printed.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next());
        let rate = rate.with_context(|| {
            format!("pgbench failed: {printed}{}", String::from_utf8_lossy(&output.stderr))
        })?;
        Ok(rate.parse()?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("psql");
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", DATABASE, "-d", DATABASE])
            .arg("-h")
            .arg(&self.socket_directory);
        command
    }
}
