//! The private PostgreSQL: it outlives whatever is killed, and refuses what would do harm.

mod upgrade;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use backend::config::database::Database;
use backend::db;
use backend::db::embedded::EmbeddedPostgres;
use diesel_async::SimpleAsyncConnection as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const SETTINGS: Database = Database { url: None, postgres_bin: None, pool_size: 4 };

/// A directory that PostgreSQL's user may pass through, and a data directory in it.
pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let open = fs::Permissions::from_mode(0o711);
        Self { directory: tempfile::Builder::new().permissions(open).tempdir().unwrap() }
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
async fn a_database_is_made_once_and_found_again() {
    let place = Place::new();
    let first = place.start().await.unwrap();
    execute(&first, "CREATE TABLE kept (id int)").await.unwrap();
    first.stop().await.unwrap();

    let second = place.start().await.unwrap();
    execute(&second, "INSERT INTO kept VALUES (1)").await.unwrap();
    second.stop().await.unwrap();
    assert!(!place.cluster().join("postmaster.pid").exists(), "it was stopped properly");
}

#[tokio::test]
async fn the_product_has_no_rights_but_over_its_own_database() {
    let place = Place::new();
    let postgres = place.start().await.unwrap();
    for refused in ["COPY (SELECT 1) TO PROGRAM 'true'", "CREATE ROLE other", "CREATE DATABASE other"] {
        let refusal = execute(&postgres, refused).await.unwrap_err().to_string();
        assert!(refusal.contains("permission denied") || refusal.contains("must be superuser"), "{refusal}");
    }
    let no_port = "DO $$ BEGIN ASSERT current_setting('listen_addresses') = ''; END $$";
    execute(&postgres, no_port).await.unwrap();
    let home = fs::metadata(place.data_dir().join("postgres")).unwrap();
    assert_eq!(home.permissions().mode() & 0o777, 0o700, "nobody else gets to the socket");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_postgres_is_started_again_while_the_server_runs() {
    let place = Place::new();
    let postgres = place.start().await.unwrap();
    execute(&postgres, "CREATE TABLE kept (id int)").await.unwrap();
    let killed = postmaster(&place.cluster());
    kill(killed, Signal::SIGKILL).unwrap();

    while execute(&postgres, "INSERT INTO kept VALUES (1)").await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_ne!(postmaster(&place.cluster()), killed);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_server_left_running_is_replaced() {
    let place = Place::new();
    let mut server = serve(&place.data_dir());
    let orphan = postmaster(&place.cluster());
    server.kill().unwrap();
    server.wait().unwrap();
    kill(orphan, None).expect("PostgreSQL still runs");

    let postgres = place.start().await.unwrap();
    assert_ne!(postmaster(&place.cluster()), orphan);
    execute(&postgres, "SELECT count(*) FROM users").await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_and_its_postgres_may_be_killed_together() {
    let place = Place::new();
    let mut server = serve(&place.data_dir());
    kill(postmaster(&place.cluster()), Signal::SIGKILL).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();

    let postgres = place.start().await.unwrap();
    execute(&postgres, "SELECT count(*) FROM users").await.unwrap();
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_note_that_names_a_foreign_process_does_no_harm() {
    let place = Place::new();
    place.start().await.unwrap().stop().await.unwrap();
    let mut foreigner = Command::new("sleep").arg("600").spawn().unwrap();
    let note = format!("{}\n{}\n", foreigner.id(), place.cluster().display());
    fs::write(place.cluster().join("postmaster.pid"), note).unwrap();

    place.start().await.unwrap().stop().await.unwrap();
    assert!(foreigner.try_wait().unwrap().is_none(), "it still runs");
    foreigner.kill().unwrap();
    foreigner.wait().unwrap();
}

#[tokio::test]
async fn a_database_of_another_version_is_left_as_it_is() {
    let place = Place::new();
    place.start().await.unwrap().stop().await.unwrap();
    let version = place.cluster().join("PG_VERSION");
    fs::write(&version, "9\n").unwrap();

    let refusal = place.start().await.unwrap_err().to_string();
    assert!(refusal.contains("was made by PostgreSQL 9, but what is installed is PostgreSQL"), "{refusal}");
    assert!(refusal.contains("apt-get install postgresql-9"), "{refusal}");
    assert_eq!(fs::read_to_string(version).unwrap(), "9\n");
}

#[tokio::test]
async fn two_servers_do_not_share_a_data_directory_but_commands_find_the_server() {
    let place = Place::new();
    let server = place.start().await.unwrap();
    let refusal = place.start().await.unwrap_err().to_string();
    let by_us = format!("is in use by process {}.", std::process::id());
    assert!(refusal.contains(&by_us), "{refusal}");

    let command = EmbeddedPostgres::find_or_start(&place.data_dir(), &SETTINGS).await.unwrap();
    execute(&command, "SELECT 1").await.unwrap();
    command.stop_when_unused().await.unwrap();
    execute(&server, "SELECT 1").await.expect("the server's database goes on");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_that_started_the_database_waits_for_another_that_found_it() {
    let place = Place::new();
    let first = EmbeddedPostgres::find_or_start(&place.data_dir(), &SETTINGS).await.unwrap();
    let second = EmbeddedPostgres::find_or_start(&place.data_dir(), &SETTINGS).await.unwrap();
    let stopping = tokio::spawn(first.stop_when_unused());
    execute(&second, "SELECT pg_sleep(0.3)").await.expect("it still runs");
    assert!(!stopping.is_finished());
    second.stop_when_unused().await.unwrap();
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    let place = Place::new();
    let data_dir = place.directory.path().join("a, \"long\" path/".repeat(12)).join("data");
    let postgres = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap();
    execute(&postgres, "SELECT 1").await.unwrap();
    let command = EmbeddedPostgres::find_or_start(&data_dir, &SETTINGS).await.unwrap();
    execute(&command, "SELECT 1").await.unwrap();
    command.stop().await.unwrap();
    postgres.stop().await.unwrap();
    let socket_directory = fs::read_link(data_dir.join("postgres.socket")).unwrap();
    fs::remove_dir(socket_directory).expect("PostgreSQL left nothing in it");
}

#[tokio::test]
async fn a_data_directory_may_be_where_postgres_cannot_get() {
    let place = Place::new();
    let closed = place.directory.path().join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let data_dir = closed.join("data");
    for _ in ["the first start", "the next start"] {
        let postgres = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap();
        execute(&postgres, "SELECT 1").await.unwrap();
        postgres.stop().await.unwrap();
    }
    if let Ok(elsewhere) = fs::read_link(data_dir.join("postgres")) {
        fs::remove_dir_all(elsewhere).unwrap();
        let refusal = EmbeddedPostgres::start(&data_dir, &SETTINGS).await.unwrap_err().to_string();
        assert!(refusal.contains("which is gone"), "{refusal}");
    }
}

async fn execute(postgres: &EmbeddedPostgres, statement: &str) -> anyhow::Result<()> {
    Ok(db::connect(&postgres.database_url()).await?.batch_execute(statement).await?)
}

/// `dataporter serve`, ready.
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

pub fn postmaster(cluster: &Path) -> Pid {
    postmaster_if_any(cluster).expect("PostgreSQL runs")
}

fn postmaster_if_any(cluster: &Path) -> Option<Pid> {
    let note = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    Some(Pid::from_raw(note.lines().next()?.parse().ok()?))
}
