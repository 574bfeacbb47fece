//! One private PostgreSQL cluster for the whole test process, without TCP, gone with the process.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use nix::unistd::{User, chown, geteuid};
use secrecy::SecretString;

/// Owner of every test database. Not a superuser: nothing of the product may need one.
pub const ROLE: &str = "dataporter";

/// Makes the cluster, says `ready`, and takes it away again when its standard input ends: that is when the test
/// process is gone, however it ended. Statics are never dropped, so no `Drop` could do this.
const KEEPER: &str = r#"
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
    /// Holds the keeper's standard input open. Nothing is written to it: the keeper waits for its end.
    _keeper: Child,
}

/// The cluster of this process, started by whoever asks first.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Cluster {
    /// Where to find a database of the cluster.
    pub fn url(&self, database: &str) -> SecretString {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{ROLE}@{directory}/{database}").into()
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn start() -> Self {
        // Not under the build directory: the path of a socket must be short, and an unprivileged user must get there.
        let directory = tempfile::Builder::new()
            .prefix("dataporter-test-")
            .tempdir()
            .expect("a temporary directory can be made")
            .keep();
        let keeper = keep(KEEPER, &directory, &[]);
        Self { directory, _keeper: keeper }
    }
}

/// Runs the script that makes a cluster in this directory, as a user that PostgreSQL runs as, and waits until it says
/// `ready`. It gets the directory, the directory of PostgreSQL's programs and these arguments, and is to take all away
/// when its standard input ends.
pub fn keep(script: &str, directory: &Path, arguments: &[&str]) -> Child {
    let mut keeper = Command::new("sh");
    keeper
        .args(["-c", script, "keeper"])
        .arg(directory)
        .arg(binaries())
        .args(arguments)
        .current_dir(directory)
        // A group of its own: Ctrl-C ends the tests, and then the keeper tidies up.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if geteuid().is_root() {
        let user = unprivileged_user();
        let files = directory.read_dir().expect("it can be listed").flatten().map(|file| file.path());
        for path in files.chain([directory.to_owned()]) {
            chown(&path, Some(user.uid), Some(user.gid)).expect("root may give files away");
        }
        keeper.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    let mut keeper = keeper.spawn().expect("sh can be run");
    let mut said = String::new();
    BufReader::new(keeper.stdout.take().expect("its output is a pipe"))
        .read_line(&mut said)
        .expect("its output can be read");
    assert_eq!(said.trim(), "ready", "see {}/log", directory.display());
    keeper
}

/// PostgreSQL refuses to run as root.
fn unprivileged_user() -> User {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .expect("there is a user named postgres or nobody")
}

/// The directory of the newest PostgreSQL that is installed.
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
