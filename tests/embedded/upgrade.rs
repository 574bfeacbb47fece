//! Upgrades of the installed PostgreSQL package while an embedded PostgreSQL is running.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backend::db;
use diesel_async::SimpleAsyncConnection as _;
use embedded_postgres::{EmbeddedPostgres, Settings};
use secrecy::ExposeSecret as _;
use tokio::time::sleep;

use super::{EmbeddedFixture, SETTINGS, execute, postmaster, postmaster_if_any};
use crate::harness::cluster;

/// A statement that loads the PL/pgSQL library into its connection.
const PLPGSQL_BLOCK: &str = "DO $$ BEGIN PERFORM 1; END $$";
/// Longer than it takes the server to detect a replaced program.
const DETECTION_TIME: Duration = Duration::from_secs(3);

/// A copy of the installed PostgreSQL to upgrade. PostgreSQL finds its files relative to its program.
struct Installation {
    programs: PathBuf,
    libraries: PathBuf,
}

impl Installation {
    fn copy_to(directory: &Path) -> Self {
        let original = cluster::binaries();
        let home = original.parent().unwrap();
        let copy = directory.join(home.strip_prefix("/").unwrap());
        let (programs, libraries) = (copy.join("bin"), copy.join("lib"));
        for (from, to) in [(&original, &programs), (&home.join("lib"), &libraries)] {
            fs::create_dir_all(to).unwrap();
            for file in from.read_dir().unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
                fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
        let shared = directory.join("usr/share/postgresql");
        fs::create_dir_all(&shared).unwrap();
        let version = home.file_name().unwrap();
        std::os::unix::fs::symlink(Path::new("/usr/share/postgresql").join(version), shared.join(version))
            .unwrap();
        Self { programs, libraries }
    }

    fn settings(&self) -> Settings {
        Settings { postgres_bin: Some(self.programs.clone()), ..SETTINGS }
    }

    /// Replaces a file, as a package manager does.
    fn replace(file: &Path, content: &[u8]) {
        let next = file.with_extension("next");
        fs::write(&next, content).unwrap();
        fs::set_permissions(&next, fs::metadata(file).unwrap().permissions()).unwrap();
        fs::rename(next, file).unwrap();
    }
}

#[tokio::test]
async fn postgres_restarts_after_an_upgrade_once_it_is_idle() {
    let fixture = EmbeddedFixture::new();
    let installation = Installation::copy_to(fixture.directory.path());
    let postgres = EmbeddedPostgres::start(&fixture.data_dir(), &installation.settings()).await.unwrap();
    let old = postmaster(&fixture.cluster());

    // A file that cannot be loaded, as a library of another version.
    let library = installation.libraries.join("plpgsql.so");
    let original_library = fs::read(&library).unwrap();
    Installation::replace(&library, b"of another version");
    execute(&postgres, PLPGSQL_BLOCK)
        .await
        .expect("a new connection does not load the library from its file");

    let program = installation.programs.join("postgres");
    let original_program = fs::read(&program).unwrap();
    Installation::replace(&program, b"#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n");
    sleep(DETECTION_TIME).await;
    assert_eq!(postmaster(&fixture.cluster()), old, "another version cannot read the cluster");

    let mut busy = db::connect(&postgres.database_url()).await.unwrap();
    busy.batch_execute("BEGIN; CREATE TABLE kept (id int)").await.unwrap();
    // A transaction prevents the restart once it is older than a second.
    sleep(Duration::from_secs(1)).await;
    Installation::replace(&program, &original_program);
    sleep(DETECTION_TIME).await;
    assert_eq!(postmaster(&fixture.cluster()), old, "a transaction is open");

    // PostgreSQL cannot start until the library is replaced too, so the server retries.
    busy.batch_execute("COMMIT").await.unwrap();
    drop(busy);
    let began = Instant::now();
    while postmaster_if_any(&fixture.cluster()).is_some_and(|found| found == old) {
        assert!(began.elapsed() < DETECTION_TIME, "the old PostgreSQL is still running");
        sleep(Duration::from_millis(50)).await;
    }
    Installation::replace(&library, &original_library);
    while execute(&postgres, "INSERT INTO kept VALUES (1)").await.is_err() {
        assert!(began.elapsed() < 2 * DETECTION_TIME, "PostgreSQL does not restart");
        sleep(Duration::from_millis(100)).await;
    }
    execute(&postgres, PLPGSQL_BLOCK).await.unwrap();
    let new = postmaster(&fixture.cluster());
    sleep(DETECTION_TIME).await;
    assert_eq!(postmaster(&fixture.cluster()), new, "PostgreSQL is restarted only once");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn configured_preload_libraries_are_still_loaded() {
    let fixture = EmbeddedFixture::new();
    fixture.start().await.unwrap().stop().await.unwrap();
    let configuration = fixture.cluster().join("postgresql.auto.conf");
    let mut settings = fs::read_to_string(&configuration).unwrap();
    settings.push_str("shared_preload_libraries = 'auto_explain, \"pg_stat_statements\"'\n");
    fs::write(configuration, settings).unwrap();

    let postgres = fixture.start().await.unwrap();
    let loaded = "DO $$ BEGIN ASSERT current_setting('shared_preload_libraries') = \
                  'auto_explain, \"pg_stat_statements\",plpgsql', current_setting('shared_preload_libraries'); END $$";
    // The hub's own role may not read the setting.
    let administrator = postgres.database_url().expose_secret().replace("dataporter", "postgres").into();
    db::connect(&administrator).await.unwrap().batch_execute(loaded).await.unwrap();
    postgres.stop().await.unwrap();
}
