//! An upgrade of PostgreSQL's package under a private PostgreSQL that runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backend::config::database::Database;
use backend::db;
use backend::db::embedded::EmbeddedPostgres;
use diesel_async::SimpleAsyncConnection as _;
use secrecy::ExposeSecret as _;
use tokio::time::sleep;

use super::{Place, SETTINGS, execute, postmaster, postmaster_if_any};
use crate::harness::cluster;

/// A statement that loads the language's library into its connection.
const IN_THE_LANGUAGE: &str = "DO $$ BEGIN PERFORM 1; END $$";
/// In which a program that was replaced is noticed, and more.
const NOTICED: Duration = Duration::from_secs(14);

/// A copy of the installed PostgreSQL, to be upgraded. PostgreSQL finds its files from where its program is.
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

    fn settings(&self) -> Database {
        Database { postgres_bin: Some(self.programs.clone()), ..SETTINGS }
    }

    /// Puts another file in the place of one, as a package manager does.
    fn replace(file: &Path, content: &[u8]) {
        let next = file.with_extension("next");
        fs::write(&next, content).unwrap();
        fs::set_permissions(&next, fs::metadata(file).unwrap().permissions()).unwrap();
        fs::rename(next, file).unwrap();
    }
}

#[tokio::test]
async fn an_upgrade_breaks_no_connection_and_the_new_program_runs_from_the_next_quiet_moment_on() {
    let place = Place::new();
    let installed = Installation::copy_to(place.directory.path());
    let postgres = EmbeddedPostgres::start(&place.data_dir(), &installed.settings()).await.unwrap();
    let old = postmaster(&place.cluster());

    // Any library of another version: one that cannot be loaded.
    let library = installed.libraries.join("plpgsql.so");
    let good = fs::read(&library).unwrap();
    Installation::replace(&library, b"of another version");
    execute(&postgres, IN_THE_LANGUAGE).await.expect("a new connection needs no file for it");

    let program = installed.programs.join("postgres");
    let fitting = fs::read(&program).unwrap();
    Installation::replace(&program, b"#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n");
    sleep(NOTICED).await;
    assert_eq!(postmaster(&place.cluster()), old, "another version cannot read the cluster");

    let mut busy = db::connect(&postgres.database_url()).await.unwrap();
    busy.batch_execute("BEGIN; CREATE TABLE kept (id int)").await.unwrap();
    Installation::replace(&program, &fitting);
    sleep(NOTICED).await;
    assert_eq!(postmaster(&place.cluster()), old, "somebody is in the middle of something");

    // It cannot be started before the upgrade is finished, and it is tried again.
    busy.batch_execute("COMMIT").await.unwrap();
    drop(busy);
    let began = Instant::now();
    while postmaster_if_any(&place.cluster()).is_some_and(|found| found == old) {
        assert!(began.elapsed() < NOTICED, "it still runs");
        sleep(Duration::from_millis(50)).await;
    }
    Installation::replace(&library, &good);
    while execute(&postgres, "INSERT INTO kept VALUES (1)").await.is_err() {
        assert!(began.elapsed() < 2 * NOTICED, "it does not start again");
        sleep(Duration::from_millis(100)).await;
    }
    execute(&postgres, IN_THE_LANGUAGE).await.unwrap();
    let new = postmaster(&place.cluster());
    sleep(NOTICED).await;
    assert_eq!(postmaster(&place.cluster()), new, "it is restarted once");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_configuration_loads_is_loaded_still() {
    let place = Place::new();
    place.start().await.unwrap().stop().await.unwrap();
    let configuration = place.cluster().join("postgresql.auto.conf");
    let mut settings = fs::read_to_string(&configuration).unwrap();
    settings.push_str("shared_preload_libraries = 'auto_explain, \"pg_stat_statements\"'\n");
    fs::write(configuration, settings).unwrap();

    let postgres = place.start().await.unwrap();
    let loaded = "DO $$ BEGIN ASSERT current_setting('shared_preload_libraries') = \
                  'auto_explain, \"pg_stat_statements\",plpgsql', current_setting('shared_preload_libraries'); END $$";
    // The product may not look at it.
    let administrator = postgres.database_url().expose_secret().replace("dataporter", "postgres").into();
    db::connect(&administrator).await.unwrap().batch_execute(loaded).await.unwrap();
    postgres.stop().await.unwrap();
}
