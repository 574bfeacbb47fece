//! The player script that learning platforms embed, on an unreliable network.

use backend::clock::Clock;
use chrono::TimeDelta;
use domain::Role;
use serde_json::json;

use super::visit::visit;
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

#[tokio::test]
async fn the_script_neither_loses_nor_duplicates_events() {
    visit(async |visit| {
        visit.page.open("/es/admin/data-porter").await;
        visit.page.button("Entrar").await;
        let script = format!("return (async () => {{ {} }})()", include_str!("player_script.js"));
        let failures = visit.page.evaluate(&script).await;
        assert_eq!(failures, serde_json::json!([]));
    })
    .await;
}

/// Embeds the script as a page of another site does, with a clock that is `clockOffset` milliseconds ahead.
/// Records an event, and returns its states.
const EMBED: &str = r#"
    const [origin, token, lessonId, clockOffset] = arguments;
    const RealDate = Date;
    window.Date = class extends RealDate {
      constructor(...parts) { super(...(parts.length ? parts : [RealDate.now() + clockOffset])); }
      static now = () => RealDate.now() + clockOffset;
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

/// Records an event on a page of another site, with a clock that is ahead by this time.
async fn record_on_another_site(clock_offset: TimeDelta) {
    visit(async |visit| {
        let site = visit.hub.url("");
        let hub = Hub::at(Clock::system(), TestDatabase::new().await, |config| {
            config.http.player_origins = vec![site];
        })
        .await;
        let student = hub.academy.user(Role::Student).await;
        let lesson = hub.academy.lesson(hub.academy.course().await).await;
        // A page without a content security policy and without an icon.
        visit.page.open("/healthz").await;
        let arguments = vec![
            json!(hub.url("")),
            json!(hub.player_token(student)),
            json!(lesson.id.to_string()),
            json!(clock_offset.num_milliseconds()),
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
        // The hub does not correct small differences.
        let span = began - 5..=clock.now().timestamp();
        assert!(span.contains(&row.get(3)), "{row:?} is not within {span:?}");
        let errors = visit.chromium.console_errors().await;
        assert!(errors.iter().all(|error| error.contains("/favicon.ico")), "{errors:?}");
    })
    .await;
}

#[tokio::test]
async fn another_site_records_events_with_a_player_token() {
    record_on_another_site(TimeDelta::zero()).await;
}

#[tokio::test]
async fn a_viewer_with_a_fast_clock_loses_no_events() {
    record_on_another_site(TimeDelta::hours(2)).await;
}
