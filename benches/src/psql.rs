//! `psql` on a hub's private database: the reference of the exports, and the way to fill tables fast.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The role that owns the hub's database, and the database.
const APPLICATION: &str = "dataporter";

/// The way into a private database.
pub struct Psql {
    socket_directory: PathBuf,
}

impl Psql {
    /// The way into the private database of a running hub.
    pub fn of(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("postgres/cluster/postmaster.pid");
        let pid_file =
            std::fs::read_to_string(&path).with_context(|| format!("Reading {}", path.display()))?;
        // PostgreSQL writes where its socket is into the fifth line.
        let socket_directory = pid_file.lines().nth(4).context("The database states no socket")?;
        Ok(Self { socket_directory: PathBuf::from(socket_directory) })
    }

    /// Runs SQL, or one of psql's own commands; answers with what it printed.
    pub fn run(&self, script: &str) -> Result<String> {
        let mut psql = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("psql cannot be run")?;
        psql.stdin.take().context("psql reads nothing")?.write_all(script.as_bytes())?;
        let output = psql.wait_with_output()?;
        if !output.status.success() {
            bail!("psql failed: {script}");
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// How long one command takes, from starting psql to its end.
    pub fn time(&self, command: &str) -> Result<Duration> {
        let began = Instant::now();
        let status = self.command().stdout(Stdio::null()).args(["-c", command]).status()?;
        if !status.success() {
            bail!("psql failed: {command}");
        }
        Ok(began.elapsed())
    }

    /// Transactions a second of a script that so many clients run for so many seconds, each prepared.
    pub fn pgbench(&self, script: &Path, clients: usize, seconds: u64) -> Result<f64> {
        let output = Command::new("pgbench")
            .args(["-n", "-M", "prepared", "-j", "2", "-U", APPLICATION, "-h"])
            .arg(&self.socket_directory)
            .args(["-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"])
            .arg(script)
            .arg(APPLICATION)
            .output()
            .context("pgbench cannot be run")?;
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
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", APPLICATION, "-d", APPLICATION])
            .arg("-h")
            .arg(&self.socket_directory);
        command
    }
}
