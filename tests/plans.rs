//! How PostgreSQL finds the rows that a page asks for: never by looking at all of them.

use domain::Dataset;
use domain::access::Role;

use crate::harness::dataset::connection;
use crate::harness::hub::Hub;
use crate::harness::statements::Statements;

#[tokio::test]
async fn a_value_that_hardly_ever_occurs_is_found_by_an_index() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await.id;
    for day in ["2026-10-10", "2026-11-10"] {
        hub.sql(&format!("SELECT ensure_player_event_partitions('{day}', '{day}')")).await;
    }
    hub.sql(&format!(
        "INSERT INTO video_player_events (event, provider, recorded_at)
         SELECT 'play', CASE n WHEN 1 THEN 'rare' ELSE 'vimeo' END, '2026-10-01Z'::timestamptz + n * interval '3 minutes'
         FROM generate_series(1, 20000) AS n;
         INSERT INTO discord_practices (lesson_id, title, type, start_at)
         SELECT {lesson}, 'A practice', CASE n WHEN 1 THEN 'rare' ELSE 'cohort' END, '2026-10-01Z'::timestamptz + n * interval '3 minutes'
         FROM generate_series(1, 20000) AS n;
         INSERT INTO teacher_submissions (teacher_id, type, title, status, created_at)
         SELECT {}, CASE n WHEN 1 THEN 'pack' ELSE 'lesson' END, 'A proposal', 'pending', '2026-10-01Z'::timestamptz + n * interval '3 minutes'
         FROM generate_series(1, 20000) AS n;
         ANALYZE",
        admin.id
    ))
    .await;
    let statements = Statements::of(&hub.app.pool).await;
    for (dataset, filter, index) in [
        (Dataset::VideoPlayerEvents, "provider: \"rare\"", "video_player_events_y2026m10_provider_"),
        (Dataset::DiscordPractices, "type: \"rare\"", "discord_practices_type_idx"),
        (Dataset::TeacherSubmissions, "type: \"pack\"", "teacher_submissions_type_idx"),
    ] {
        let query = format!("{{ page: {}(filter: {{{filter}}}) {{ nodes {{ id }} }} }}", connection(dataset));
        let page = hub.graphql(&query).by(&admin.token).data().await;
        assert_eq!(page["page"]["nodes"].as_array().unwrap().len(), 1, "{}", dataset.key());
        let read = statements.take().into_iter().find(|statement| statement.contains("ORDER BY")).unwrap();
        let value = filter.split('"').nth(1).unwrap();
        let plan = plan(&hub, &read, value).await;
        assert!(plan.contains(index), "{plan}");
    }
}

/// The plan of a statement with one value and a limit.
async fn plan(hub: &Hub, statement: &str, value: &str) -> String {
    let client = hub.database.client().await;
    client.batch_execute(&format!("PREPARE page AS {statement}")).await.unwrap();
    let plan = client.simple_query(&format!("EXPLAIN EXECUTE page('{value}', 51)")).await.unwrap();
    let lines = plan.iter().filter_map(|line| match line {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
