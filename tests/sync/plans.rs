//! How PostgreSQL finds what the sync needs: by the index of what is owed, however much was delivered before.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::ground::Ground;
use crate::harness::statements::Statements;

/// So many events were delivered to both drivers.
const DELIVERED: i64 = 200_000;
/// So many are taken up at once.
const LIMIT: i64 = 64;

/// A hub that delivered much, and owes 200 events that were tried once and 100 that were not.
async fn hub_that_delivered_much() -> Ground {
    let ground = Ground::new().await;
    ground
        .hub
        .sql(&format!(
            "SELECT ensure_player_event_partitions('2027-01-01', '2027-01-31');
             INSERT INTO video_player_events (recorded_at, synced_at, user_id, event)
             SELECT moment, moment, CASE WHEN place % 100 = 0 THEN {} END, 'play'
             FROM generate_series(1, {DELIVERED}) AS place, LATERAL (SELECT '2027-01-12Z'::timestamptz + place * interval '1 second' AS moment) AS moments;
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, delivered_at, attempts)
             SELECT id, recorded_at, driver, 'delivered', recorded_at, 1
             FROM video_player_events, unnest('{{ga4,mixpanel}}'::text[]) AS driver",
            ground.viewer
        ))
        .await;
    let owed = ground.events(300).await;
    ground
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state)
             SELECT id, recorded_at, driver, 'retry'
             FROM video_player_events, unnest('{{ga4,mixpanel}}'::text[]) AS driver WHERE id = ANY ('{}') AND id % 3 > 0;
             DELETE FROM telemetry_pending WHERE event_id % 3 > 0;
             ANALYZE",
            array(&owed)
        ))
        .await;
    ground
}

#[tokio::test]
async fn a_run_reads_no_more_than_what_is_owed() {
    let ground = hub_that_delivered_much().await;
    let owed =
        ground.hub.rows("SELECT event_id, recorded_at FROM telemetry_pending ORDER BY 2, 1 LIMIT 64").await;
    let (ids, moments) = (column(&owed, "event_id"), column(&owed, "recorded_at"));
    let statements = Statements::of(&ground.hub.app.pool).await;
    let spoken = Spoken::by_a_run(&ground, &statements).await;
    let client = ground.hub.database.client().await;
    // What the run did is undone, so that there is again something to be found.
    client.batch_execute(UNDO).await.unwrap();
    client.batch_execute(&spoken.settings).await.unwrap();

    let due = format!("false, 'ga4', '1900-01-01Z', 0, NULL, '2027-01-15T08:00:00Z', NULL, {LIMIT}");
    let fresh = format!("false, '1900-01-01Z', 0, 'ga4', 'ga4', {LIMIT}");
    let told = format!("'{ids}', '{moments}'");
    let last = format!("{told}, {NEVER}, {ALWAYS}, 'mixpanel'");
    let not_last = format!("{ALWAYS}, {ALWAYS}, 'ga4', {told}, {ALWAYS}, {ALWAYS}, 'ga4'");
    let viewed = format!("'{{{}}}', '{{2027-01-14T00:00:00Z}}', '{{2027-01-15T08:00:00Z}}'", ground.viewer);
    let settle = format!("now(), {told}, '{}'", array(&vec!["false"; 64]));
    for (name, statement, types, values, index, most) in [
        ("due", &spoken.due, DUE, due, "telemetry_deliveries_owed_idx", 3 * LIMIT),
        ("fresh", &spoken.fresh, FRESH, fresh, "telemetry_pending_pkey", 3 * LIMIT),
        ("last", &spoken.last, LAST, last, "telemetry_pending_pkey", 2 * LIMIT),
        ("not last", &spoken.not_last, NOT_LAST, not_last, "telemetry_pending_pkey", 2 * LIMIT),
        ("what viewers did", &spoken.viewed, VIEWED, viewed, "user_id_recorded_at_idx", 700),
        ("settle", &spoken.settle, SETTLE, settle, "telemetry_deliveries_pkey", 4 * LIMIT),
    ] {
        let plan = plan(&client, statement, types, &values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= most, "{name} read {read} rows: {plan:#}");
        assert!(plan.to_string().contains(index), "{name}: {plan:#}");
    }
}

#[tokio::test]
async fn plans_that_are_made_when_nothing_is_there_serve_when_much_is() {
    let ground = Ground::new().await;
    let statements = Statements::of(&ground.hub.app.pool).await;
    ground.events(1).await;
    let spoken = Spoken::by_a_run(&ground, &statements).await;
    ground.hub.sql("TRUNCATE telemetry_deliveries, telemetry_pending, video_player_events").await;
    let client = ground.hub.database.client().await;
    client.batch_execute(&spoken.settings).await.unwrap();
    let values = |told: &str, flags: &str| {
        [
            ("due", format!("false, 'ga4', '1900-01-01Z', 0, NULL, '2027-01-15T08:00:00Z', NULL, {LIMIT}")),
            ("fresh", format!("false, '1900-01-01Z', 0, 'ga4', 'ga4', {LIMIT}")),
            ("last", format!("{told}, {NEVER}, {ALWAYS}, 'mixpanel'")),
            ("not_last", format!("{ALWAYS}, {ALWAYS}, 'ga4', {told}, {ALWAYS}, {ALWAYS}, 'ga4'")),
            ("settle", format!("now(), {told}, '{flags}'")),
        ]
    };
    let texts = [&spoken.due, &spoken.fresh, &spoken.last, &spoken.not_last, &spoken.settle];
    let types = [DUE, FRESH, LAST, NOT_LAST, SETTLE];
    for (((name, values), text), types) in values("'{}', '{}'", "{}").iter().zip(texts).zip(types) {
        let prepare = format!("PREPARE {name}{types} AS {text}; EXECUTE {name}({values})");
        client.batch_execute(&prepare).await.unwrap();
    }
    // Nobody looks at the tables between, so that the plans stay.
    ground
        .hub
        .sql(
            "INSERT INTO video_player_events (recorded_at, synced_at, event)
             SELECT '2027-01-12Z'::timestamptz + place * interval '1 second', CASE WHEN place <= 20000 THEN now() END, 'play'
             FROM generate_series(1, 20060) AS place;
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, delivered_at)
             SELECT id, recorded_at, driver, 'delivered', recorded_at
             FROM video_player_events, unnest('{ga4,mixpanel}'::text[]) AS driver WHERE synced_at IS NOT NULL",
        )
        .await;
    let pending = ground.hub.rows("SELECT event_id, recorded_at FROM telemetry_pending ORDER BY 2").await;
    let told = format!("'{}', '{}'", column(&pending, "event_id"), column(&pending, "recorded_at"));
    for (name, values) in values(&told, &array(&vec!["false"; 60])) {
        client.batch_execute("BEGIN").await.unwrap();
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name}({values})");
        let plan = explained(&client, &explain).await;
        client.batch_execute("ROLLBACK").await.unwrap();
        let read = rows_read(&plan["Plan"]);
        assert!(read <= 600, "{name} read {read} rows: {plan:#}");
        let thrown_away = plan.to_string().matches("Rows Removed by Join Filter").count();
        assert_eq!(thrown_away, 0, "{name}: {plan:#}");
    }
}

#[tokio::test]
async fn how_much_is_owed_is_counted_without_what_was_delivered() {
    let ground = hub_that_delivered_much().await;
    let statements = Statements::of(&ground.hub.app.pool).await;
    let status = "{ syncStatus { eventsPending drivers { pending dead lastDeliveredAt } } }";
    let status = ground.hub.graphql(status).by(&ground.admin).data().await;
    assert_eq!(status["syncStatus"]["eventsPending"], 300);
    let heard = statements.take();
    let client = ground.hub.database.client().await;
    client.batch_execute(AS_THE_POOL).await.unwrap();
    let count = format!("'ga4', 'mixpanel', {ALWAYS}, {ALWAYS}, {ALWAYS}, 100000, true, true");
    for (words, types, values, index) in [
        ("FULL JOIN", COUNT, count.as_str(), "telemetry_pending"),
        ("FULL JOIN", COUNT, count.as_str(), "telemetry_deliveries_owed_idx"),
        (
            "max(delivered_at)",
            "(text, text, bigint)",
            "'ga4', 'delivered', 1",
            "telemetry_deliveries_delivered_at_idx",
        ),
    ] {
        let statement =
            heard.iter().find(|statement| statement.contains(words)).unwrap_or_else(|| panic!("{heard:#?}"));
        let plan = plan(&client, statement, types, values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= 1_000, "{words} read {read} rows: {plan:#}");
        assert!(plan.to_string().contains(index), "{words}: {plan:#}");
    }
}

/// From when on events are pending for a driver: all, or none.
const ALWAYS: &str = "'1900-01-01Z'";
const NEVER: &str = "'9999-01-01Z'";

/// As every connection of the hub's pool has it.
pub const AS_THE_POOL: &str = "SET plan_cache_mode = force_custom_plan; SET jit = off";

pub const COUNT: &str = "(text, text, timestamptz, timestamptz, timestamptz, bigint, bool, bool)";
const DUE: &str = "(bool, text, timestamptz, bigint, bigint, timestamptz, bigint, bigint)";
const FRESH: &str = "(bool, timestamptz, bigint, text, text, bigint)";
const LAST: &str = "(bigint[], timestamptz[], timestamptz, timestamptz, text)";
const NOT_LAST: &str =
    "(timestamptz, timestamptz, text, bigint[], timestamptz[], timestamptz, timestamptz, text)";
const VIEWED: &str = "(bigint[], timestamptz[], timestamptz[])";
const SETTLE: &str = "(timestamptz, bigint[], timestamptz[], bool[])";

/// Puts back what a run delivered: nobody had taken up a third of it, and the others are to be sent again.
const UNDO: &str = "UPDATE video_player_events SET synced_at = NULL WHERE recorded_at > '2027-01-15T07:50:00Z';
    DELETE FROM telemetry_deliveries WHERE recorded_at > '2027-01-15T07:50:00Z' AND event_id % 3 = 0;
    INSERT INTO telemetry_pending SELECT recorded_at, id FROM video_player_events
    WHERE recorded_at > '2027-01-15T07:50:00Z' AND id % 3 = 0;
    UPDATE telemetry_deliveries SET state = 'retry', delivered_at = NULL WHERE recorded_at > '2027-01-15T07:50:00Z';
    ANALYZE";

/// What a run really says to the database.
struct Spoken {
    settings: String,
    due: String,
    fresh: String,
    viewed: String,
    last: String,
    not_last: String,
    settle: String,
}

impl Spoken {
    async fn by_a_run(ground: &Ground, statements: &Statements) -> Self {
        let run = ground.run().await;
        assert_eq!(run["state"], "SUCCESS", "{run}");
        let heard = statements.take();
        let said = |words: &str| heard.iter().find(|statement| statement.contains(words)).unwrap().clone();
        Self {
            settings: said("enable_seqscan = off"),
            due: said("true, false FROM ( SELECT *"),
            fresh: said("FROM telemetry_pending WHERE (recorded_at, event_id) >"),
            viewed: said("AS asked (user_id"),
            last: said("DELETE FROM telemetry_pending AS pending USING"),
            not_last: said("UPDATE telemetry_pending AS pending"),
            settle: said("SET synced_at ="),
        }
    }
}

/// The plan of a statement that is carried out with these values and then undone.
pub async fn plan(client: &Client, statement: &str, types: &str, values: &str) -> Value {
    client.batch_execute(&format!("BEGIN; PREPARE asked{types} AS {statement}")).await.unwrap();
    let values = if values.is_empty() { String::new() } else { format!("({values})") };
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked{values}");
    let plan = explained(client, &explain).await;
    client.batch_execute("ROLLBACK; DEALLOCATE ALL").await.unwrap();
    plan
}

async fn explained(client: &Client, explain: &str) -> Value {
    let rows = client.simple_query(explain).await.unwrap();
    let mut lines = String::new();
    for row in &rows {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = row {
            lines += row.get(0).unwrap_or_default();
        }
    }
    serde_json::from_str::<Value>(&lines).unwrap()[0].take()
}

/// How many rows the scans of tables below a node read, whether they were wanted or not.
pub fn rows_read(node: &Value) -> i64 {
    let below: i64 = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum();
    let is_scan = node["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan"))
        && node["Relation Name"].is_string();
    if !is_scan {
        return below;
    }
    let count = |key: &str| node[key].as_f64().unwrap_or_default();
    let each =
        count("Actual Rows") + count("Rows Removed by Filter") + count("Rows Removed by Index Recheck");
    #[expect(clippy::cast_possible_truncation, reason = "they are few")]
    let here = (each * count("Actual Loops")) as i64;
    below + here
}

/// A column of rows as an array.
fn column(rows: &Value, name: &str) -> String {
    let values = rows.as_array().unwrap().iter().map(|row| row[name].to_string().replace('"', ""));
    array(&values.collect::<Vec<_>>())
}

fn array<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("{{{}}}", values.join(","))
}

#[test]
fn rows_that_are_read_in_vain_count() {
    let scan = json!({"Node Type": "Index Scan", "Relation Name": "t", "Actual Rows": 2, "Rows Removed by Filter": 3, "Actual Loops": 4});
    assert_eq!(
        rows_read(&json!({"Node Type": "Nested Loop", "Actual Rows": 9, "Actual Loops": 1, "Plans": [scan]})),
        20
    );
}
