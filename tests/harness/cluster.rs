//! One private PostgreSQL cluster for the whole test process. It listens on a Unix socket only and is removed
//! when the process ends.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use nix::unistd::{User, chown, geteuid};
use secrecy::SecretString;

/// Owner of every test database. It is not a superuser, because the product must not need one.
pub const ROLE: &str = "dataporter";

/// Creates the cluster, prints `ready`, and removes the cluster when its standard input is closed. That
/// happens when the test process ends, even if it is killed. Rust does not drop statics.
const SUPERVISOR_SCRIPT: &str = r#"
exec 2>>"$1/log"
"$2/initdb" -D "$1/cluster" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >&2 &&
"$2/pg_ctl" -D "$1/cluster" -l "$1/log" -w -o "-c unix_socket_directories='$1' -c listen_addresses='' \
  -c max_connections=300 -c autovacuum=off -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
  -c wal_level=minimal -c max_wal_senders=0" start >&2 &&
"$2/psql" -h "$1" -U postgres -qc 'CREATE ROLE dataporter LOGIN CREATEDB' postgres >&2 &&
echo ready
read -r _
"$2/pg_ctl" -D "$1/cluster" -m immediate -w stop >&2
rm -rf "$1"
"#;

/// A running cluster.
pub struct Cluster {
    directory: PathBuf,
    /// Keeps the supervisor's standard input open. Nothing is ever written to it.
    _supervisor: Child,
}

/// The cluster of this process. The first call starts it.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Cluster {
    /// The URL of a database of the cluster.
    pub fn url(&self, database: &str) -> SecretString {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{ROLE}@{directory}/{database}").into()
    }

    /// The directory of its socket.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn start() -> Self {
        // Not in the build directory: a socket needs a short path that unprivileged users can reach.
        let directory = tempfile::Builder::new()
            .prefix("dataporter-test-")
            .tempdir()
            .expect("a temporary directory can be created")
            .keep();
        let supervisor = start_supervisor(SUPERVISOR_SCRIPT, &directory, &[]);
        Self { directory, _supervisor: supervisor }
    }
}

/// Runs a script that creates a cluster in this directory, and waits until it prints `ready`.
///
/// The script runs as a user that PostgreSQL accepts. Its parameters are the cluster's directory, the
/// directory of PostgreSQL's programs, and `arguments`. It must remove the cluster when its stdin is closed.
pub fn start_supervisor(script: &str, directory: &Path, arguments: &[&str]) -> Child {
    let mut supervisor = Command::new("sh");
    supervisor
        .args(["-c", script, "supervisor"])
        .arg(directory)
        .arg(binaries())
        .args(arguments)
        .current_dir(directory)
        // In its own process group, so that Ctrl-C ends only the tests and the supervisor can still clean up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if geteuid().is_root() {
        let user = unprivileged_user();
        let files =
            directory.read_dir().expect("the directory can be listed").flatten().map(|file| file.path());
        for path in files.chain([directory.to_owned()]) {
            chown(&path, Some(user.uid), Some(user.gid)).expect("root may change the owner of a file");
        }
        supervisor.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    let mut supervisor = supervisor.spawn().expect("sh is installed");
    let mut output = String::new();
    BufReader::new(supervisor.stdout.take().expect("stdout is a pipe"))
        .read_line(&mut output)
        .expect("stdout is readable");
    assert_eq!(output.trim(), "ready", "see {}/log", directory.display());
    supervisor
}

/// A user to run PostgreSQL as, since it refuses to run as root.
fn unprivileged_user() -> User {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .expect("a user named postgres or nobody exists")
}

/// The directory with the programs of the newest installed PostgreSQL.
pub fn binaries() -> PathBuf {
    let mut installed: Vec<(u32, PathBuf)> = Path::new("/usr/lib/postgresql")
        .read_dir()
        .expect("PostgreSQL is installed in /usr/lib/postgresql")
        .filter_map(|version| {
            let path = version.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .collect();
    installed.sort();
    installed.pop().expect("a version of PostgreSQL is installed").1
}
