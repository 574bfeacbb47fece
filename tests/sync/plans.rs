//! Query plans of the sync: pending events are found by an index, however many events were delivered.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::fixture::SyncFixture;
use crate::harness::statements::Statements;

/// Events that were delivered to both drivers.
const DELIVERED_EVENTS: i64 = 200_000;
/// Events that a run fetches at once.
const BATCH_SIZE: i64 = 64;

/// A hub that delivered many events. Also, 200 events await a retry and 100 were not sent.
async fn hub_with_many_delivered() -> SyncFixture {
    let fixture = SyncFixture::new().await;
    fixture
        .hub
        .sql(&format!(
            "SELECT ensure_player_event_partitions('2027-01-01', '2027-01-31');
             INSERT INTO video_player_events (recorded_at, synced_at, user_id, event)
             SELECT moment, moment, CASE WHEN place % 100 = 0 THEN {} END, 'play'
             FROM generate_series(1, {DELIVERED_EVENTS}) AS place, LATERAL (SELECT '2027-01-12Z'::timestamptz + place * interval '1 second' AS moment) AS moments;
             INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state, delivered_at, attempts)
             SELECT id, recorded_at, driver, 'delivered', recorded_at, 1
             FROM video_player_events, unnest('{{ga4,mixpanel}}'::text[]) AS driver",
            fixture.viewer
        ))
        .await;
    let pending = fixture.insert_events(300).await;
    fixture
        .hub
        .sql(&format!(
            "INSERT INTO telemetry_deliveries (event_id, recorded_at, driver, state)
             SELECT id, recorded_at, driver, 'retry'
             FROM video_player_events, unnest('{{ga4,mixpanel}}'::text[]) AS driver WHERE id = ANY ('{}') AND id % 3 > 0;
             DELETE FROM telemetry_pending WHERE event_id % 3 > 0;
             ANALYZE",
            array(&pending)
        ))
        .await;
    fixture
}

#[tokio::test]
async fn a_run_reads_only_pending_events() {
    let fixture = hub_with_many_delivered().await;
    let pending =
        fixture.hub.rows("SELECT event_id, recorded_at FROM telemetry_pending ORDER BY 2, 1 LIMIT 64").await;
    let (ids, times) = (column(&pending, "event_id"), column(&pending, "recorded_at"));
    let statements = Statements::of(&fixture.hub.app.pool).await;
    let executed = RunStatements::of_a_run(&fixture, &statements).await;
    let client = fixture.hub.database.client().await;
    // Undoes the run, so that events are pending again.
    client.batch_execute(UNDO_RUN).await.unwrap();
    client.batch_execute(&executed.settings).await.unwrap();

    let retryable =
        format!("false, 'ga4', '1900-01-01Z', 0, NULL, '2027-01-15T08:00:00Z', NULL, {BATCH_SIZE}");
    let unsent = format!("false, '1900-01-01Z', 0, 'ga4', 'ga4', {BATCH_SIZE}");
    let events = format!("'{ids}', '{times}'");
    let delete_pending = format!("{events}, {END}, {START}, 'mixpanel'");
    let update_pending = format!("{START}, {START}, 'ga4', {events}, {START}, {START}, 'ga4'");
    let history = format!("'{{{}}}', '{{2027-01-14T00:00:00Z}}', '{{2027-01-15T08:00:00Z}}'", fixture.viewer);
    let mark_synced = format!("now(), {events}, '{}'", array(&vec!["false"; 64]));
    for (name, statement, types, values, index, max_rows) in [
        (
            "retryable",
            &executed.retryable,
            RETRYABLE_PARAMETERS,
            retryable,
            "telemetry_deliveries_pending_idx",
            3 * BATCH_SIZE,
        ),
        ("unsent", &executed.unsent, UNSENT_PARAMETERS, unsent, "telemetry_pending_pkey", 3 * BATCH_SIZE),
        (
            "delete pending",
            &executed.delete_pending,
            DELETE_PENDING_PARAMETERS,
            delete_pending,
            "telemetry_pending_pkey",
            2 * BATCH_SIZE,
        ),
        (
            "update pending",
            &executed.update_pending,
            UPDATE_PENDING_PARAMETERS,
            update_pending,
            "telemetry_pending_pkey",
            2 * BATCH_SIZE,
        ),
        ("history", &executed.history, HISTORY_PARAMETERS, history, "user_id_recorded_at_idx", 700),
        (
            "mark synced",
            &executed.mark_synced,
            MARK_SYNCED_PARAMETERS,
            mark_synced,
            "telemetry_deliveries_pkey",
            4 * BATCH_SIZE,
        ),
    ] {
        let plan = plan(&client, statement, types, &values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= max_rows, "{name} read {read} rows: {plan:#}");
        assert!(plan.to_string().contains(index), "{name}: {plan:#}");
    }
}

#[tokio::test]
async fn plans_made_for_empty_tables_stay_efficient_for_full_ones() {
    let fixture = SyncFixture::new().await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    fixture.insert_events(1).await;
    let executed = RunStatements::of_a_run(&fixture, &statements).await;
    fixture.hub.sql("TRUNCATE telemetry_deliveries, telemetry_pending, video_player_events").await;
    let client = fixture.hub.database.client().await;
    client.batch_execute(&executed.settings).await.unwrap();
    let values = |events: &str, flags: &str| {
        [
            (
                "retryable",
                format!("false, 'ga4', '1900-01-01Z', 0, NULL, '2027-01-15T08:00:00Z', NULL, {BATCH_SIZE}"),
            ),
            ("unsent", format!("false, '1900-01-01Z', 0, 'ga4', 'ga4', {BATCH_SIZE}")),
            ("delete_pending", format!("{events}, {END}, {START}, 'mixpanel'")),
            ("update_pending", format!("{START}, {START}, 'ga4', {events}, {START}, {START}, 'ga4'")),
            ("mark_synced", format!("now(), {events}, '{flags}'")),
        ]
    };
    let texts = [
        &executed.retryable,
        &executed.unsent,
        &executed.delete_pending,
        &executed.update_pending,
        &executed.mark_synced,
    ];
    let types = [
        RETRYABLE_PARAMETERS,
        UNSENT_PARAMETERS,
        DELETE_PENDING_PARAMETERS,
        UPDATE_PENDING_PARAMETERS,
        MARK_SYNCED_PARAMETERS,
    ];
    for (((name, values), text), types) in values("'{}', '{}'", "{}").iter().zip(texts).zip(types) {
        let prepare = format!("PREPARE {name}{types} AS {text}; EXECUTE {name}({values})");
        client.batch_execute(&prepare).await.unwrap();
    }
    // The tables are not analyzed in between, so that PostgreSQL keeps the plans.
    fixture
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
    let pending = fixture.hub.rows("SELECT event_id, recorded_at FROM telemetry_pending ORDER BY 2").await;
    let events = format!("'{}', '{}'", column(&pending, "event_id"), column(&pending, "recorded_at"));
    for (name, values) in values(&events, &array(&vec!["false"; 60])) {
        client.batch_execute("BEGIN").await.unwrap();
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name}({values})");
        let plan = query_plan(&client, &explain).await;
        client.batch_execute("ROLLBACK").await.unwrap();
        let read = rows_read(&plan["Plan"]);
        assert!(read <= 600, "{name} read {read} rows: {plan:#}");
        let discarded_rows = plan.to_string().matches("Rows Removed by Join Filter").count();
        assert_eq!(discarded_rows, 0, "{name}: {plan:#}");
    }
}

#[tokio::test]
async fn counting_pending_events_does_not_read_delivered_ones() {
    let fixture = hub_with_many_delivered().await;
    let statements = Statements::of(&fixture.hub.app.pool).await;
    let status = "{ syncStatus { eventsPending drivers { pending dead lastDeliveredAt } } }";
    let status = fixture.hub.graphql(status).by(&fixture.admin_token).data().await;
    assert_eq!(status["syncStatus"]["eventsPending"], 300);
    let captured = statements.take();
    let client = fixture.hub.database.client().await;
    client.batch_execute(POOL_SETTINGS).await.unwrap();
    let count = format!("'ga4', 'mixpanel', {START}, {START}, {START}, 100000, true, true");
    for (pattern, types, values, index) in [
        ("FULL JOIN", COUNT_PARAMETERS, count.as_str(), "telemetry_pending"),
        ("FULL JOIN", COUNT_PARAMETERS, count.as_str(), "telemetry_deliveries_pending_idx"),
        (
            "max(delivered_at)",
            "(text, text, bigint)",
            "'ga4', 'delivered', 1",
            "telemetry_deliveries_delivered_at_idx",
        ),
    ] {
        let statement = captured
            .iter()
            .find(|statement| statement.contains(pattern))
            .unwrap_or_else(|| panic!("{captured:#?}"));
        let plan = plan(&client, statement, types, values).await;
        let read = rows_read(&plan["Plan"]);
        assert!(read <= 1_000, "{pattern} read {read} rows: {plan:#}");
        assert!(plan.to_string().contains(index), "{pattern}: {plan:#}");
    }
}

/// Bounds of the recording times that are pending for a driver: before and after every event.
const START: &str = "'1900-01-01Z'";
const END: &str = "'9999-01-01Z'";

/// The settings of the connections in the hub's pool.
pub const POOL_SETTINGS: &str = "SET plan_cache_mode = force_custom_plan; SET jit = off";

pub const COUNT_PARAMETERS: &str = "(text, text, timestamptz, timestamptz, timestamptz, bigint, bool, bool)";
const RETRYABLE_PARAMETERS: &str = "(bool, text, timestamptz, bigint, bigint, timestamptz, bigint, bigint)";
const UNSENT_PARAMETERS: &str = "(bool, timestamptz, bigint, text, text, bigint)";
const DELETE_PENDING_PARAMETERS: &str = "(bigint[], timestamptz[], timestamptz, timestamptz, text)";
const UPDATE_PENDING_PARAMETERS: &str =
    "(timestamptz, timestamptz, text, bigint[], timestamptz[], timestamptz, timestamptz, text)";
const HISTORY_PARAMETERS: &str = "(bigint[], timestamptz[], timestamptz[])";
const MARK_SYNCED_PARAMETERS: &str = "(timestamptz, bigint[], timestamptz[], bool[])";

/// Makes the events that a run delivered pending again: a third of them unsent, and the others for a retry.
const UNDO_RUN: &str = "UPDATE video_player_events SET synced_at = NULL WHERE recorded_at > '2027-01-15T07:50:00Z';
    DELETE FROM telemetry_deliveries WHERE recorded_at > '2027-01-15T07:50:00Z' AND event_id % 3 = 0;
    INSERT INTO telemetry_pending SELECT recorded_at, id FROM video_player_events
    WHERE recorded_at > '2027-01-15T07:50:00Z' AND id % 3 = 0;
    UPDATE telemetry_deliveries SET state = 'retry', delivered_at = NULL WHERE recorded_at > '2027-01-15T07:50:00Z';
    ANALYZE";

/// The statements that a run executes.
struct RunStatements {
    settings: String,
    retryable: String,
    unsent: String,
    history: String,
    delete_pending: String,
    update_pending: String,
    mark_synced: String,
}

impl RunStatements {
    async fn of_a_run(fixture: &SyncFixture, statements: &Statements) -> Self {
        let run = fixture.run().await;
        assert_eq!(run["state"], "SUCCESS", "{run}");
        let captured = statements.take();
        let find =
            |pattern: &str| captured.iter().find(|statement| statement.contains(pattern)).unwrap().clone();
        Self {
            settings: find("enable_seqscan = off"),
            retryable: find("true, false FROM ( SELECT *"),
            unsent: find("FROM telemetry_pending WHERE (recorded_at, event_id) >"),
            history: find("AS asked (user_id"),
            delete_pending: find("DELETE FROM telemetry_pending AS pending USING"),
            update_pending: find("UPDATE telemetry_pending AS pending"),
            mark_synced: find("SET synced_at ="),
        }
    }
}

/// Executes a statement with these values, rolls it back, and returns its plan.
pub async fn plan(client: &Client, statement: &str, types: &str, values: &str) -> Value {
    client.batch_execute(&format!("BEGIN; PREPARE examined{types} AS {statement}")).await.unwrap();
    let values = if values.is_empty() { String::new() } else { format!("({values})") };
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE examined{values}");
    let plan = query_plan(client, &explain).await;
    client.batch_execute("ROLLBACK; DEALLOCATE ALL").await.unwrap();
    plan
}

async fn query_plan(client: &Client, explain: &str) -> Value {
    let rows = client.simple_query(explain).await.unwrap();
    let mut lines = String::new();
    for row in &rows {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = row {
            lines += row.get(0).unwrap_or_default();
        }
    }
    serde_json::from_str::<Value>(&lines).unwrap()[0].take()
}

/// The number of rows that table scans in a plan node read, including rows that filters removed.
pub fn rows_read(node: &Value) -> i64 {
    let children: i64 = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum();
    let is_scan = node["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan"))
        && node["Relation Name"].is_string();
    if !is_scan {
        return children;
    }
    let count = |key: &str| node[key].as_f64().unwrap_or_default();
    let each =
        count("Actual Rows") + count("Rows Removed by Filter") + count("Rows Removed by Index Recheck");
    #[expect(clippy::cast_possible_truncation, reason = "the row counts are small")]
    let own = (each * count("Actual Loops")) as i64;
    children + own
}

/// The values of a column as a PostgreSQL array literal.
fn column(rows: &Value, name: &str) -> String {
    let values = rows.as_array().unwrap().iter().map(|row| row[name].to_string().replace('"', ""));
    array(&values.collect::<Vec<_>>())
}

fn array<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("{{{}}}", values.join(","))
}

#[test]
fn rows_removed_by_filters_count_as_read() {
    let scan = json!({"Node Type": "Index Scan", "Relation Name": "t", "Actual Rows": 2, "Rows Removed by Filter": 3, "Actual Loops": 4});
    assert_eq!(
        rows_read(&json!({"Node Type": "Nested Loop", "Actual Rows": 9, "Actual Loops": 1, "Plans": [scan]})),
        20
    );
}
