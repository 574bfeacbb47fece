//! Query plans: PostgreSQL finds rows by an index instead of scanning whole tables.

use domain::Dataset;
use domain::access::Role;

use crate::harness::dataset::connection;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::statements::Statements;

/// A hub whose tables have 20,000 rows over two months. Only the first row of each has a rare value.
async fn hub_with_many_rows() -> (Hub, TestUser) {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await.id;
    let at = "'2026-10-01Z'::timestamptz + n * interval '3 minutes'";
    hub.sql(&format!(
        "SELECT ensure_player_event_partitions('2026-10-01', '2026-11-30');
         INSERT INTO video_player_events (event, provider, recorded_at)
         SELECT 'play', CASE n WHEN 1 THEN 'rare' ELSE 'vimeo' END, {at} FROM generate_series(1, 20000) AS n;
         INSERT INTO discord_practices (lesson_id, title, type, start_at)
         SELECT {lesson}, 'x', CASE n WHEN 1 THEN 'rare' ELSE 'cohort' END, {at} FROM generate_series(1, 20000) AS n;
         INSERT INTO teacher_submissions (teacher_id, type, title, status, created_at)
         SELECT {}, CASE n WHEN 1 THEN 'pack' ELSE 'lesson' END, 'x', 'pending', {at} FROM generate_series(1, 20000) AS n;
         ANALYZE",
        admin.id
    ))
    .await;
    (hub, admin)
}

#[tokio::test]
async fn rows_with_a_rare_value_are_found_by_an_index() {
    let (hub, admin) = hub_with_many_rows().await;
    let statements = Statements::of(&hub.app.pool).await;
    for (dataset, filter, value, index) in [
        (Dataset::VideoPlayerEvents, "provider", "rare", "video_player_events_y2026m10_provider_"),
        (Dataset::DiscordPractices, "type", "rare", "discord_practices_type_idx"),
        (Dataset::TeacherSubmissions, "type", "pack", "teacher_submissions_type_idx"),
    ] {
        let connection = connection(dataset);
        let query =
            format!("{{ page: {connection}(filter: {{{filter}: \"{value}\"}}) {{ nodes {{ id }} }} }}");
        let page = hub.graphql(&query).by(&admin.token).data().await;
        assert_eq!(page["page"]["nodes"].as_array().unwrap().len(), 1, "{}", dataset.key());
        let plan = plan(&hub, &statement(&statements, "ORDER BY"), &format!("'{value}', 51")).await;
        assert!(plan.contains(index), "{plan}");
    }
}

#[tokio::test]
async fn a_chart_reads_only_the_rows_of_its_filter() {
    let (hub, admin) = hub_with_many_rows().await;
    let statements = Statements::of(&hub.app.pool).await;
    let query = "{ playerEventSeries(filter: {provider: \"rare\", dateFrom: \"2026-10-01\"}) { count } }";
    hub.graphql(query).by(&admin.token).data().await;
    let recorded = statements.take();
    for (text, values) in [
        ("SELECT min", "'2026-10-01Z', 'rare'"),
        ("width_bucket", "'{2026-10-01Z}', '2026-10-01Z', 'rare', '2026-10-02Z', 9"),
    ] {
        let plan =
            plan(&hub, recorded.iter().find(|statement| statement.contains(text)).unwrap(), values).await;
        assert!(plan.contains("video_player_events_y2026m10_provider_"), "{plan}");
        assert!(!plan.contains("video_player_events_y2026m09"), "{plan}");
    }
    hub.graphql("{ playerEventSeries(bucket: WEEK) { count } }").by(&admin.token).data().await;
    let plan = plan(&hub, &statement(&statements, "SELECT min"), "").await;
    assert!(!plan.contains("Seq Scan on video_player_events_y2026m10"), "{plan}");
}

/// The last recorded statement that contains a text.
fn statement(statements: &Statements, text: &str) -> String {
    statements.take().into_iter().rfind(|statement| statement.contains(text)).unwrap()
}

/// The query plan of a statement with these parameter values.
async fn plan(hub: &Hub, statement: &str, values: &str) -> String {
    let client = hub.database.client().await;
    client.batch_execute(&format!("PREPARE test_plan AS {statement}")).await.unwrap();
    let values = if values.is_empty() { String::new() } else { format!("({values})") };
    let plan = client.simple_query(&format!("EXPLAIN EXECUTE test_plan{values}")).await.unwrap();
    let lines = plan.iter().filter_map(|line| match line {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
