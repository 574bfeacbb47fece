//! The migrations: they go up, come down again, may be applied by many at once, and explain themselves.

mod catalog;

use backend::db;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::AsyncMigrationHarness;
use diesel_migrations::MigrationHarness as _;
use domain::Dataset;

use crate::harness::database::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn each_down_undoes_its_up() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut harness = AsyncMigrationHarness::new(db::connect(&database.url).await.expect("it is there"));
    assert_eq!(harness.applied_migrations().expect("an empty list can be read"), []);

    let mut migrations = MigrationSource::<Pg>::migrations(&db::MIGRATIONS).expect("they are compiled in");
    migrations.sort_by_key(|migration| migration.name().to_string());
    for migration in &migrations {
        let name = migration.name();
        let before = catalog::describe(&client).await;
        harness.run_migration(migration).unwrap_or_else(|error| panic!("{name} up: {error}"));
        let after = catalog::describe(&client).await;
        assert_ne!(before, after, "{name} does something");

        harness.revert_migration(migration).unwrap_or_else(|error| panic!("{name} down: {error}"));
        assert_eq!(catalog::describe(&client).await, before, "{name} is undone");

        harness.run_migration(migration).unwrap_or_else(|error| panic!("{name} up again: {error}"));
        assert_eq!(catalog::describe(&client).await, after, "{name} can be repeated");
    }
}

#[tokio::test]
async fn every_table_and_column_says_what_it_is_for() {
    let database = TestDatabase::new().await;
    let silent = catalog::without_comment(&database.client().await).await;
    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn where_a_dataset_may_show_no_text_there_is_never_an_empty_one() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for dataset in Dataset::ALL {
        let shown: Vec<&str> = dataset.describe().columns.iter().map(|column| column.key).collect();
        let accepting = catalog::accepting_empty_text(&client, dataset.key(), &shown).await;
        assert_eq!(accepting, Vec::<String>::new(), "{}", dataset.key());
    }
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() {
    let database = TestDatabase::empty().await;
    let names = db::pending(&database.url).await.expect("an empty database can be asked");
    let (one, two, three) =
        tokio::join!(db::migrate(&database.url), db::migrate(&database.url), db::migrate(&database.url));
    let mut applied = [one, two, three].map(|names| names.expect("none of them fails"));
    applied.sort();
    assert_eq!(applied, [vec![], vec![], names]);
    assert_eq!(db::pending(&database.url).await.expect("it can be asked"), Vec::<String>::new());
}
