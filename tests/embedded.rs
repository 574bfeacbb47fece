//! The embedded PostgreSQL recovers from killed processes and refuses harmful operations.

mod upgrade;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backend::db;
use diesel_async::SimpleAsyncConnection as _;
use embedded_postgres::{EmbeddedPostgres, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const SETTINGS: Settings =
    Settings { postgres_bin: None, max_connections: 44, upgrade_check_interval: Duration::from_millis(500) };

/// A data directory in a temporary directory that PostgreSQL's user may enter.
pub struct EmbeddedFixture {
    directory: TempDir,
}

impl EmbeddedFixture {
    pub fn new() -> Self {
        let permissions = fs::Permissions::from_mode(0o711);
        Self { directory: tempfile::Builder::new().permissions(permissions).tempdir().unwrap() }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn cluster(&self) -> PathBuf {
        self.data_dir().join("postgres/cluster")
    }

    pub async fn start(&self) -> anyhow::Result<EmbeddedPostgres> {
        EmbeddedPostgres::start(&self.data_dir(), &SETTINGS).await
    }
}

#[tokio::test]
async fn a_database_is_created_once_and_reused() {
    let fixture = EmbeddedFixture::new();
    let first = fixture.start().await.unwrap();
    execute(&first, "CREATE TABLE kept (id int)").await.unwrap();
    first.stop().await.unwrap();

    let second = fixture.start().await.unwrap();
    execute(&second, "INSERT INTO kept VALUES (1)").await.unwrap();
    second.stop().await.unwrap();
    assert!(!fixture.cluster().join("postmaster.pid").exists(), "PostgreSQL was stopped cleanly");
}

#[tokio::test]
async fn the_hub_only_has_rights_on_its_own_database() {
    let fixture = EmbeddedFixture::new();
    let postgres = fixture.start().await.unwrap();
    for statement in ["COPY (SELECT 1) TO PROGRAM 'true'", "CREATE ROLE other", "CREATE DATABASE other"] {
        let error = execute(&postgres, statement).await.unwrap_err().to_string();
        assert!(error.contains("permission denied") || error.contains("must be superuser"), "{error}");
    }
    let no_port = "DO $$ BEGIN ASSERT current_setting('listen_addresses') = ''; END $$";
    execute(&postgres, no_port).await.unwrap();
    let home = fs::metadata(fixture.data_dir().join("postgres")).unwrap();
    assert_eq!(home.permissions().mode() & 0o777, 0o700, "other users cannot reach the socket");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_postgres_is_restarted_while_the_server_runs() {
    let fixture = EmbeddedFixture::new();
    let postgres = fixture.start().await.unwrap();
    execute(&postgres, "CREATE TABLE kept (id int)").await.unwrap();
    let killed = postmaster(&fixture.cluster());
    kill(killed, Signal::SIGKILL).unwrap();

    while execute(&postgres, "INSERT INTO kept VALUES (1)").await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_ne!(postmaster(&fixture.cluster()), killed);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_postgres_left_by_a_killed_server_is_replaced() {
    let fixture = EmbeddedFixture::new();
    let mut server = serve(&fixture.data_dir());
    let orphan = postmaster(&fixture.cluster());
    server.kill().unwrap();
    server.wait().unwrap();
    kill(orphan, None).expect("PostgreSQL is still running");

    let postgres = fixture.start().await.unwrap();
    assert_ne!(postmaster(&fixture.cluster()), orphan);
    execute(&postgres, "SELECT count(*) FROM users").await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn the_database_survives_killing_the_server_and_postgres() {
    let fixture = EmbeddedFixture::new();
    let mut server = serve(&fixture.data_dir());
    kill(postmaster(&fixture.cluster()), Signal::SIGKILL).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();

    let postgres = fixture.start().await.unwrap();
    execute(&postgres, "SELECT count(*) FROM users").await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_an_unrelated_process_is_harmless() {
    let fixture = EmbeddedFixture::new();
    fixture.start().await.unwrap().stop().await.unwrap();
    let mut unrelated = Command::new("sleep").arg("600").spawn().unwrap();
    let pid_file = format!("{}\n{}\n", unrelated.id(), fixture.cluster().display());
    fs::write(fixture.cluster().join("postmaster.pid"), pid_file).unwrap();

    fixture.start().await.unwrap().stop().await.unwrap();
    assert!(unrelated.try_wait().unwrap().is_none(), "the process is still running");
    unrelated.kill().unwrap();
    unrelated.wait().unwrap();
}

#[tokio::test]
async fn a_database_of_another_version_is_left_untouched() {
    let fixture = EmbeddedFixture::new();
    fixture.start().await.unwrap().stop().await.unwrap();
    let version = fixture.cluster().join("PG_VERSION");
    fs::write(&version, "9\n").unwrap();

    let error = fixture.start().await.unwrap_err().to_string();
    assert!(error.contains("was created by PostgreSQL 9, but only PostgreSQL"), "{error}");
    assert!(error.contains("apt-get install postgresql-9"), "{error}");
    assert_eq!(fs::read_to_string(version).unwrap(), "9\n");
}

#[tokio::test]
async fn a_data_directory_has_one_server_and_commands_use_it() {
    let fixture = EmbeddedFixture::new();
    let server = fixture.start().await.unwrap();
    let error = fixture.start().await.unwrap_err().to_string();
    let by_this_process = format!("is in use by process {}.", std::process::id());
    assert!(error.contains(&by_this_process), "{error}");

    let command = EmbeddedPostgres::find_or_start(&fixture.data_dir(), &SETTINGS).await.unwrap();
    execute(&command, "SELECT 1").await.unwrap();
    command.stop_when_unused().await.unwrap();
    execute(&server, "SELECT 1").await.expect("the server's database is still running");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_keeps_the_database_running_for_another_command() {
    let fixture = EmbeddedFixture::new();
    let first = EmbeddedPostgres::find_or_start(&fixture.data_dir(), &SETTINGS).await.unwrap();
    let second = EmbeddedPostgres::find_or_start(&fixture.data_dir(), &SETTINGS).await.unwrap();
    let stopping = tokio::spawn(first.stop_when_unused());
    execute(&second, "SELECT pg_sleep(0.3)").await.expect("the database is still running");
    assert!(!stopping.is_finished());
    second.stop_when_unused().await.unwrap();
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_long_path_to_the_data_directory_works() {
    let fixture = EmbeddedFixture::new();
    let data_dir = fixture.directory.path().join("a, \"long\" path/".repeat(12)).join("data");
    let postgres = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap();
    execute(&postgres, "SELECT 1").await.unwrap();
    let command = EmbeddedPostgres::find_or_start(&data_dir, &SETTINGS).await.unwrap();
    execute(&command, "SELECT 1").await.unwrap();
    command.stop().await.unwrap();
    postgres.stop().await.unwrap();
    let socket_directory = fs::read_link(data_dir.join("postgres.socket")).unwrap();
    fs::remove_dir(socket_directory).expect("the socket directory is empty");
}

#[tokio::test]
async fn a_data_directory_may_be_inaccessible_to_postgres() {
    let fixture = EmbeddedFixture::new();
    let private = fixture.directory.path().join("closed");
    fs::DirBuilder::new().mode(0o700).create(&private).unwrap();
    let data_dir = private.join("data");
    for _ in ["the first start", "the next start"] {
        let postgres = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap();
        execute(&postgres, "SELECT 1").await.unwrap();
        postgres.stop().await.unwrap();
    }
    if let Ok(moved) = fs::read_link(data_dir.join("postgres")) {
        fs::remove_dir_all(moved).unwrap();
        let error = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap_err().to_string();
        assert!(error.contains("which does not exist"), "{error}");
    }
}

async fn execute(postgres: &EmbeddedPostgres, statement: &str) -> anyhow::Result<()> {
    Ok(db::connect(&postgres.database_url()).await?.batch_execute(statement).await?)
}

/// Starts `dataporter serve`, and waits until it is ready.
fn serve(data_dir: &Path) -> Child {
    let mut server = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("DataPorter Hub is ready at http://127.0.0.1:"), "{line}");
    server
}

/// The process ID of the running PostgreSQL.
pub fn postmaster(cluster: &Path) -> Pid {
    postmaster_if_any(cluster).expect("PostgreSQL is running")
}

fn postmaster_if_any(cluster: &Path) -> Option<Pid> {
    let pid_file = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    Some(Pid::from_raw(pid_file.lines().next()?.parse().ok()?))
}
