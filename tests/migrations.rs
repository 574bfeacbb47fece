//! The migrations can be applied and reverted, tolerate concurrent processes, and document every table.

mod catalog;
mod concurrency;
mod distribution;
mod rules;

use backend::db;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::AsyncMigrationHarness;
use diesel_migrations::MigrationHarness as _;
use domain::Dataset;

use crate::harness::database::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn each_down_migration_reverts_its_up() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut harness = AsyncMigrationHarness::new(
        db::connect(&database.url).await.expect("the database accepts connections"),
    );
    assert_eq!(harness.applied_migrations().expect("the list of applied migrations is readable"), []);

    let mut migrations =
        MigrationSource::<Pg>::migrations(&db::MIGRATIONS).expect("the migrations are compiled in");
    migrations.sort_by_key(|migration| migration.name().to_string());
    for migration in &migrations {
        let name = migration.name();
        let before = catalog::describe(&client).await;
        harness.run_migration(migration).unwrap_or_else(|error| panic!("{name} up: {error}"));
        let after = catalog::describe(&client).await;
        assert_ne!(before, after, "{name} changes something");

        harness.revert_migration(migration).unwrap_or_else(|error| panic!("{name} down: {error}"));
        assert_eq!(catalog::describe(&client).await, before, "{name} is reverted");

        harness.run_migration(migration).unwrap_or_else(|error| panic!("{name} up again: {error}"));
        assert_eq!(catalog::describe(&client).await, after, "{name} can be applied again");
    }
}

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let database = TestDatabase::new().await;
    let undocumented = catalog::without_comment(&database.client().await).await;
    assert_eq!(undocumented, Vec::<String>::new());
}

#[tokio::test]
async fn nullable_text_columns_of_datasets_reject_empty_text() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for dataset in Dataset::ALL {
        let columns: Vec<&str> = dataset.describe().columns.iter().map(|column| column.key).collect();
        let accepting = catalog::accepting_empty_text(&client, dataset.key(), &columns).await;
        assert_eq!(accepting, Vec::<String>::new(), "{}", dataset.key());
    }
}

#[tokio::test]
async fn processes_that_start_together_migrate_only_once() {
    let database = TestDatabase::empty().await;
    let names =
        db::pending(&database.url).await.expect("pending migrations are readable in an empty database");
    let (one, two, three) =
        tokio::join!(db::migrate(&database.url), db::migrate(&database.url), db::migrate(&database.url));
    let mut applied = [one, two, three].map(|names| names.expect("no process fails"));
    applied.sort();
    assert_eq!(applied, [vec![], vec![], names]);
    assert_eq!(
        db::pending(&database.url).await.expect("pending migrations are readable"),
        Vec::<String>::new()
    );
}
