//! The months of `video_player_events`: made ahead, made on demand, made once.

use crate::harness::database::TestDatabase;

const ENSURE: &str = "SELECT ensure_player_event_partitions($1::text::date, $2::text::date)";
const RECORD: &str =
    "INSERT INTO video_player_events (event, recorded_at) VALUES ('play', $1::text::timestamptz)";

#[tokio::test]
async fn an_event_of_today_has_its_month() {
    let database = TestDatabase::new().await;
    let recorded = database.client().await.execute(RECORD, &[&"now"]).await.expect("its month is there");
    assert_eq!(recorded, 1);
}

#[tokio::test]
async fn months_are_made_on_demand_and_only_once() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let refusal = client.execute(RECORD, &[&"2019-12-31T23:59:59Z"]).await.expect_err("its month is missing");
    assert_eq!(refusal.code(), Some(&tokio_postgres::error::SqlState::CHECK_VIOLATION));

    let made: i32 =
        client.query_one(ENSURE, &[&"2019-12-31", &"2020-02-01"]).await.expect("they can be").get(0);
    assert_eq!(made, 3);
    let again: i32 =
        client.query_one(ENSURE, &[&"2019-12-01", &"2020-02-29"]).await.expect("they are").get(0);
    assert_eq!(again, 0);

    let month = client
        .query_one(&format!("{RECORD} RETURNING tableoid::regclass::text"), &[&"2019-12-31T23:59:59Z"])
        .await
        .expect("its month is there");
    assert_eq!(month.get::<_, &str>(0), "video_player_events_y2019m12");
}

#[tokio::test]
async fn the_months_do_not_depend_on_the_time_zone_of_who_makes_them() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    client.batch_execute("SET TimeZone = 'America/Bogota'").await.expect("it is a time zone");
    client.query_one(ENSURE, &[&"2020-03-15", &"2020-03-15"]).await.expect("it can be made");
    client.execute(RECORD, &[&"2020-03-01T00:00:00Z"]).await.expect("the month begins with UTC's");
    client.execute(RECORD, &[&"2020-03-31T23:59:59Z"]).await.expect("the month ends with UTC's");
}

#[tokio::test]
async fn processes_that_need_the_same_months_all_get_them() {
    let database = TestDatabase::new().await;
    let clients = [database.client().await, database.client().await, database.client().await];
    let make = |client| async move {
        let client: &tokio_postgres::Client = client;
        client.query_one(ENSURE, &[&"2018-01-01", &"2018-12-31"]).await.expect("none fails").get::<_, i32>(0)
    };
    let (one, two, three) = tokio::join!(make(&clients[0]), make(&clients[1]), make(&clients[2]));
    assert_eq!(one + two + three, 12);
}

#[tokio::test]
async fn a_month_is_made_while_others_read_and_write() {
    let database = TestDatabase::new().await;
    let mut busy = database.client().await;
    let busy = busy.transaction().await.expect("it can begin");
    busy.execute(RECORD, &[&"now"]).await.expect("it can write");
    busy.query("SELECT id FROM video_player_events", &[]).await.expect("it can read");

    let client = database.client().await;
    client.batch_execute("SET lock_timeout = '2s'").await.expect("it is a setting");
    let made: i32 =
        client.query_one(ENSURE, &[&"2017-05-01", &"2017-05-31"]).await.expect("it waits for nobody").get(0);
    assert_eq!(made, 1);
    busy.commit().await.expect("it was not disturbed");
}
