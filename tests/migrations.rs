//! The migrations: they go up, come down again, may be applied by many at once, and explain themselves.

mod beside_others;
mod catalog;
mod rules;

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

/// What the sync had on record before it kept what is pending in a table of its own: an event that is synced, one that
/// nobody has taken up, one that was to be tried again, and one that was being sent when its run died.
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
async fn what_was_owed_is_owed_when_the_sync_keeps_it_otherwise_and_when_that_is_undone() {
    let database = TestDatabase::empty().await;
    let client = database.client().await;
    let mut harness = AsyncMigrationHarness::new(db::connect(&database.url).await.expect("it is there"));
    let mut migrations = MigrationSource::<Pg>::migrations(&db::MIGRATIONS).expect("they are compiled in");
    migrations.sort_by_key(|migration| migration.name().to_string());
    assert_eq!(harness.applied_migrations().expect("an empty list can be read"), []);
    let first = migrations
        .iter()
        .position(|migration| migration.name().to_string().ends_with("create_telemetry_pending"))
        .expect("there is such a migration");
    let (before, new) = migrations.split_at(first);
    for migration in before {
        harness.run_migration(migration).expect("it goes up");
    }
    client.batch_execute(BEFORE_PENDING).await.expect("it is as it was");
    for migration in new {
        harness.run_migration(migration).expect("it goes up with data");
    }
    let told = async |query: &str| {
        let rows =
            client.query(&format!("SELECT string_agg(told, ' ') FROM ({query}) AS told (told)"), &[]).await;
        rows.expect("it can be asked")[0].get::<_, Option<String>>(0).unwrap_or_default()
    };
    let owed = "SELECT concat_ws(':', event_id, driver, state, attempts) FROM telemetry_deliveries \
                WHERE state <> 'delivered' ORDER BY event_id, driver";
    let pending = "SELECT concat_ws(':', event_id, drivers) FROM telemetry_pending ORDER BY event_id";
    let leases = "SELECT concat_ws(':', run_id, driver, event_ids) FROM telemetry_leases ORDER BY driver";
    assert_eq!(told(owed).await, "3:ga4:retry:2 4:ga4:retry:1 4:mixpanel:pending:0");
    assert_eq!(told(pending).await, "2");
    assert_eq!(told(leases).await, "7:ga4:{4}");

    // A run that died while it sent event 2 to GA4, and event 5 to GA4 when Mixpanel had it.
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
        .expect("it is as a run leaves it");
    for migration in new.iter().rev() {
        harness.revert_migration(migration).expect("it goes down with data");
    }
    assert_eq!(
        told(owed).await,
        "2:ga4:in_flight:0 2:mixpanel:pending:0 3:ga4:retry:2 4:ga4:in_flight:1 4:mixpanel:pending:0 5:ga4:in_flight:0"
    );
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
