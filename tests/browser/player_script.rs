//! What learning platforms embed, before a network that does not always answer.

use backend::clock::Clock;
use chrono::TimeDelta;
use domain::Role;
use serde_json::json;

use super::visit::visit;
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

#[tokio::test]
async fn the_script_loses_nothing_doubles_nothing_and_gives_up_only_what_is_hopeless() {
    visit(async |visit| {
        visit.page.open("/es/admin/data-porter").await;
        visit.page.button("Entrar").await;
        let script = format!("return (async () => {{ {} }})()", include_str!("player_script.js"));
        let faults = visit.page.evaluate(&script).await;
        assert_eq!(faults, serde_json::json!([]));
    })
    .await;
}

/// Embeds the script as a page of another site does, with a clock so many milliseconds fast, and gives back what became
/// of an event.
const EMBED: &str = r#"
    const [origin, token, lessonId, fast] = arguments;
    const RealDate = Date;
    window.Date = class extends RealDate {
      constructor(...parts) { super(...(parts.length ? parts : [RealDate.now() + fast])); }
      static now = () => RealDate.now() + fast;
    };
    await import(`${origin}/player/dataporter-player.js`);
    const states = [];
    const player = DataPorterPlayer.attach(document.createElement("video"), {
      endpoint: `${origin}/api/video/progress`, token, lessonId,
      onState: ({ event }, state) => states.push(`${event} ${state}`),
    });
    player.track("cta_click", { metadata: { button: "Reservar" } });
    await player.detach();
    return states;
"#;

/// Records an event on a page of another site, by a clock that is this much fast.
async fn record_elsewhere(fast: TimeDelta) {
    visit(async |visit| {
        let site = visit.hub.url("");
        let hub = Hub::at(Clock::system(), TestDatabase::new().await, |config| {
            config.http.player_origins = vec![site];
        })
        .await;
        let student = hub.academy.user(Role::Student).await;
        let lesson = hub.academy.lesson(hub.academy.course().await).await;
        // A page without a policy of its own, and without an icon.
        visit.page.open("/healthz").await;
        let arguments = vec![
            json!(hub.url("")),
            json!(hub.player_token(student)),
            json!(lesson.id.to_string()),
            json!(fast.num_milliseconds()),
        ];
        let clock = Clock::system();
        let began = clock.now().timestamp();
        let states =
            visit.page.evaluate_with(&format!("return (async () => {{ {EMBED} }})()"), arguments).await;
        assert_eq!(states, json!(["cta_click waiting", "cta_click recorded"]));
        let event = "SELECT user_id, lesson_id, metadata->>'button', floor(extract(epoch FROM recorded_at))::bigint \
                     FROM video_player_events";
        let row = hub.database.client().await.query_one(event, &[]).await.unwrap();
        assert_eq!((row.get(0), row.get(1), row.get(2)), (student, lesson.id, "Reservar"));
        // Small differences are left alone.
        let span = began - 5..=clock.now().timestamp();
        assert!(span.contains(&row.get(3)), "{row:?} is not within {span:?}");
        let complaints = visit.chromium.complaints().await;
        assert!(complaints.iter().all(|complaint| complaint.contains("/favicon.ico")), "{complaints:?}");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_site_records_with_a_player_token() {
    record_elsewhere(TimeDelta::zero()).await;
}

#[tokio::test]
async fn a_viewer_whose_clock_is_hours_fast_loses_nothing() {
    record_elsewhere(TimeDelta::hours(2)).await;
}
