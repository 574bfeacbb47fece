//! The monthly partitions of `video_player_events` are created in advance or on demand, and only once.

use crate::harness::database::TestDatabase;

const ENSURE: &str = "SELECT ensure_player_event_partitions($1::text::date, $2::text::date)";
const RECORD: &str =
    "INSERT INTO video_player_events (event, recorded_at) VALUES ('play', $1::text::timestamptz)";

#[tokio::test]
async fn the_partition_of_the_current_month_exists() {
    let database = TestDatabase::new().await;
    let recorded = database.client().await.execute(RECORD, &[&"now"]).await.expect("the partition exists");
    assert_eq!(recorded, 1);
}

#[tokio::test]
async fn partitions_are_created_on_demand_and_only_once() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let error =
        client.execute(RECORD, &[&"2019-12-31T23:59:59Z"]).await.expect_err("the partition does not exist");
    assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::CHECK_VIOLATION));

    let created: i32 = client
        .query_one(ENSURE, &[&"2019-12-31", &"2020-02-01"])
        .await
        .expect("the partitions can be created")
        .get(0);
    assert_eq!(created, 3);
    let again: i32 = client
        .query_one(ENSURE, &[&"2019-12-01", &"2020-02-29"])
        .await
        .expect("existing partitions are no error")
        .get(0);
    assert_eq!(again, 0);

    let partition = client
        .query_one(&format!("{RECORD} RETURNING tableoid::regclass::text"), &[&"2019-12-31T23:59:59Z"])
        .await
        .expect("the partition exists");
    assert_eq!(partition.get::<_, &str>(0), "video_player_events_y2019m12");
}

#[tokio::test]
async fn partitions_do_not_depend_on_the_sessions_time_zone() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    client.batch_execute("SET TimeZone = 'America/Bogota'").await.expect("the time zone exists");
    client.query_one(ENSURE, &[&"2020-03-15", &"2020-03-15"]).await.expect("the partition can be created");
    client.execute(RECORD, &[&"2020-03-01T00:00:00Z"]).await.expect("the partition starts at midnight UTC");
    client.execute(RECORD, &[&"2020-03-31T23:59:59Z"]).await.expect("the partition ends at midnight UTC");
}

#[tokio::test]
async fn concurrent_processes_can_create_the_same_partitions() {
    let database = TestDatabase::new().await;
    let clients = [database.client().await, database.client().await, database.client().await];
    let create = |client| async move {
        let client: &tokio_postgres::Client = client;
        client
            .query_one(ENSURE, &[&"2018-01-01", &"2018-12-31"])
            .await
            .expect("no process fails")
            .get::<_, i32>(0)
    };
    let (one, two, three) = tokio::join!(create(&clients[0]), create(&clients[1]), create(&clients[2]));
    assert_eq!(one + two + three, 12);
}

#[tokio::test]
async fn a_partition_is_created_while_others_read_and_write() {
    let database = TestDatabase::new().await;
    let mut other = database.client().await;
    let other = other.transaction().await.expect("a transaction can start");
    other.execute(RECORD, &[&"now"]).await.expect("the event can be inserted");
    other.query("SELECT id FROM video_player_events", &[]).await.expect("the table can be read");

    let client = database.client().await;
    client.batch_execute("SET lock_timeout = '2s'").await.expect("the setting exists");
    let created: i32 = client
        .query_one(ENSURE, &[&"2017-05-01", &"2017-05-31"])
        .await
        .expect("creating the partition is not blocked")
        .get(0);
    assert_eq!(created, 1);
    other.commit().await.expect("the transaction can commit");
}
