//! The migrations can be applied and reverted, tolerate concurrent processes, and document every table.

mod catalog;
mod concurrency;
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

/// Events from before `telemetry_pending` was added: one synced, one not sent yet, one to be retried, and one
/// that was in flight when its run died.
const BEFORE_PENDING: &str = "
    INSERT INTO video_player_events (id, recorded_at, synced_at, event) VALUES
        (1, now(), now(), 'play'), (2, now(), NULL, 'play'), (3, now(), NULL, 'play'), (4, now(), NULL, 'play');
    INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, attempts, delivered_at, lease_until, lease_owner)
    SELECT id, recorded_at, driver, state, attempts, CASE WHEN state = 'delivered' THEN now() END,
        CASE WHEN state = 'in_flight' THEN now() END, CASE WHEN state = 'in_flight' THEN '7' END
    FROM video_player_events JOIN (VALUES
        (1, 'ga4', 'delivered', 1), (1, 'mixpanel', 'delivered', 1), (3, 'ga4', 'retry', 2), (3, 'mixpanel', 'delivered', 1),
        (4, 'ga4', 'in_flight', 1), (4, 'mixpanel', 'pending', 0)
    ) AS deliveries (event_id, driver, state, attempts) ON event_id = id";

#[tokio::test(flavor = "multi_thread")]
async fn migrating_to_telemetry_pending_and_back_loses_no_events() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut harness = AsyncMigrationHarness::new(
        db::connect(&database.url).await.expect("the database accepts connections"),
    );
    let mut migrations =
        MigrationSource::<Pg>::migrations(&db::MIGRATIONS).expect("the migrations are compiled in");
    migrations.sort_by_key(|migration| migration.name().to_string());
    assert_eq!(harness.applied_migrations().expect("the list of applied migrations is readable"), []);
    let index = migrations
        .iter()
        .position(|migration| migration.name().to_string().ends_with("create_telemetry_pending"))
        .expect("the migration exists");
    let (before, new) = migrations.split_at(index);
    for migration in before {
        harness.run_migration(migration).expect("the migration is applied");
    }
    client.batch_execute(BEFORE_PENDING).await.expect("the rows can be inserted");
    for migration in new {
        harness.run_migration(migration).expect("the migration is applied with data");
    }
    let read = async |query: &str| {
        let rows = client
            .query(&format!("SELECT string_agg(entry, ' ') FROM ({query}) AS entries (entry)"), &[])
            .await;
        rows.expect("the query is valid")[0].get::<_, Option<String>>(0).unwrap_or_default()
    };
    let deliveries = "SELECT concat_ws(':', event_id, driver, state, attempts) FROM telemetry_deliveries \
                WHERE state <> 'delivered' ORDER BY event_id, driver";
    let pending = "SELECT concat_ws(':', event_id, drivers) FROM telemetry_pending ORDER BY event_id";
    let leases = "SELECT concat_ws(':', run_id, driver, event_ids) FROM telemetry_leases ORDER BY driver";
    assert_eq!(read(deliveries).await, "3:ga4:retry:2 4:ga4:retry:1 4:mixpanel:pending:0");
    assert_eq!(read(pending).await, "2");
    assert_eq!(read(leases).await, "7:ga4:{4}");

    // A run died while it sent events 2 and 5 to GA4. Mixpanel already has event 5.
    client
        .batch_execute(
            "INSERT INTO video_player_events (id, recorded_at, event) VALUES (5, now(), 'play');
             UPDATE telemetry_pending SET drivers = '{ga4}' WHERE event_id = 5;
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, delivered_at)
             SELECT id, recorded_at, 'mixpanel', 'delivered', now() FROM video_player_events WHERE id = 5;
             INSERT INTO telemetry_leases (run_id, driver, taken_at, event_ids, recorded_at)
             SELECT 8, 'ga4', now(), array_agg(id), array_agg(recorded_at) FROM video_player_events WHERE id IN (2, 5)",
        )
        .await
        .expect("the rows can be inserted");
    for migration in new.iter().rev() {
        harness.revert_migration(migration).expect("the migration is reverted with data");
    }
    assert_eq!(
        read(deliveries).await,
        "2:ga4:in_flight:0 2:mixpanel:pending:0 3:ga4:retry:2 4:ga4:in_flight:1 4:mixpanel:pending:0 5:ga4:in_flight:0"
    );
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
