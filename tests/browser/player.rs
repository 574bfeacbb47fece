//! The player demo records every video event exactly once, despite network failures and navigation.

use std::collections::BTreeMap;

use backend::clock::Clock;
use backend::demo::{self, Options};
use domain::Role;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::accessibility;
use super::chromium::{Network, Screen};
use super::page::{POLL_INTERVAL, WAIT_TIMEOUT};
use super::visit::{Visit, visit, visit_hub};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

const DEMO: &str = "/es/player-demo";
/// A page without the player.
const OTHER_PAGE: &str = "/es/admin/data-porter/account";
const ENDPOINT: &str = "*/api/video/progress";

/// Records every UUID that the page creates from now on, until the tab is closed. The first one identifies
/// the tab's buffer. The others identify events.
const RECORD_IDS: &str = "const make = crypto.randomUUID.bind(crypto);\
    crypto.randomUUID = () => { const id = make(); \
    sessionStorage.createdIds = (sessionStorage.createdIds ?? '') + id + ' '; return id }";

/// Opens the demo as a user with this role.
async fn visit_demo(screen: Screen, role: Role, test: impl AsyncFnOnce(&Visit)) {
    // The browser's clock runs, so the hub's clock must run too.
    let hub = Hub::at(Clock::system(), TestDatabase::new().await, |_| {}).await;
    visit_hub(hub, screen, async |visit| {
        let app = &visit.hub.app;
        let options = Options {
            students: 1,
            events: 1,
            seed: 7,
            now: app.clock.now(),
            zone: chrono_tz::Tz::America__Bogota,
        };
        let mut conn = app.pool.get().await.unwrap();
        let sign_ins = demo::fill(&mut conn, &app.auth.passwords, options).await.unwrap();
        visit.hub.sql("DELETE FROM video_player_events").await;
        let user = sign_ins.iter().find(|sign_in| sign_in.role == role).unwrap();
        visit.page.open(DEMO).await;
        visit.page.fill("Correo", user.email).await;
        visit.page.evaluate(RECORD_IDS).await;
        visit.page.fill("Contraseña", user.password.expose_secret()).await;
        visit.page.click("Entrar").await;
        visit.page.wait_for_text("Todavía no hay eventos").await;
        visit.wait_until("return !!sessionStorage.createdIds").await;
        test(visit).await;
    })
    .await;
}

impl Visit {
    /// Waits until a script returns `true`.
    async fn wait_until(&self, script: &str) {
        let wait = async {
            let mut pause = tokio::time::interval(POLL_INTERVAL);
            while self.page.evaluate(script).await != true {
                pause.tick().await;
            }
        };
        assert!(tokio::time::timeout(WAIT_TIMEOUT, wait).await.is_ok(), "timed out: {script}");
    }

    /// Waits until the list shows an event in this state.
    async fn wait_for_event(&self, event: &str, state: &str) {
        let script = format!(
            "return [...document.querySelectorAll('tbody tr')].some(row => \
             row.cells[0].textContent === '{event}' && row.cells[2].textContent === '{state}')"
        );
        self.wait_until(&script).await;
    }

    /// Plays or pauses the video with the space bar.
    async fn toggle_playback(&self) {
        self.page.evaluate("document.querySelector('video').focus()").await;
        self.page.type_text(" ").await;
    }

    /// The IDs of the created events, sorted.
    async fn created_ids(&self) -> Vec<String> {
        let created = self.page.evaluate("return sessionStorage.createdIds ?? ''").await;
        let mut created: Vec<String> =
            created.as_str().unwrap().split_whitespace().skip(1).map(str::to_owned).collect();
        created.sort();
        created
    }

    /// The IDs of the recorded events, sorted, including any duplicates.
    async fn recorded_ids(&self) -> Vec<String> {
        let ids = "SELECT client_event_id::text FROM video_player_events ORDER BY 1";
        let rows = self.hub.database.client().await.query(ids, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until every created event is recorded exactly once.
    async fn wait_for_all_recorded(&self) {
        let created = self.created_ids().await;
        let mut recorded = Vec::new();
        let wait = async {
            let mut pause = tokio::time::interval(POLL_INTERVAL);
            while recorded != created {
                pause.tick().await;
                recorded = self.recorded_ids().await;
            }
        };
        let succeeded = tokio::time::timeout(WAIT_TIMEOUT, wait).await.is_ok();
        let buffered = self.page.evaluate("return Object.entries(localStorage).join()").await;
        assert!(succeeded, "expected {created:#?}, recorded {recorded:#?}; the buffer has {buffered}");
    }

    /// The number of recorded events of each kind, read from the API as an admin.
    async fn count_by_kind(&self) -> BTreeMap<String, usize> {
        let admin = self.hub.user(Role::Admin).await;
        let query = "{ videoPlayerEvents(first: 100) { nodes { event lessonId provider contextTag } } }";
        let response = self.hub.graphql(query).by(&admin.token).data().await;
        let mut kinds = BTreeMap::new();
        for node in response["videoPlayerEvents"]["nodes"].as_array().unwrap() {
            assert_ne!(node["lessonId"], Value::Null);
            assert_eq!(node["contextTag"], "player-demo");
            *kinds.entry(node["event"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    }
}

#[tokio::test]
async fn playback_is_recorded_once_despite_network_loss_and_navigation() {
    visit_demo(Screen::Desktop, Role::Admin, async |visit| {
        visit.toggle_playback().await;
        visit.wait_for_event("play", "Guardado").await;
        visit.wait_for_event("progress_tick", "Guardado").await;
        accessibility::check(&visit.page, "the player demo").await;
        // Dragging along the bar is one seek.
        visit
            .page
            .evaluate("for (const at of [20, 25, 31]) document.querySelector('video').currentTime = at")
            .await;
        visit.wait_for_event("seek", "Guardado").await;

        visit.chromium.set_network(Network::Offline).await;
        visit.page.wait_for_text("No hay conexión con el hub").await;
        visit.toggle_playback().await;
        visit.wait_for_event("pause", "Se reintenta").await;
        visit.toggle_playback().await;
        visit.chromium.set_network(Network::Online).await;
        visit.page.wait_for_text("Nada pendiente.").await;
        visit.ignore_network_errors().await;

        // Leaving the page during playback sends the remaining events as a beacon.
        visit.wait_until("return document.querySelector('video').currentTime > 32").await;
        visit.page.follow_link("Exportar").await;
        visit.page.button("Descargar").await;
        visit.page.open(OTHER_PAGE).await;
        visit.wait_for_all_recorded().await;
        let kinds = visit.count_by_kind().await;
        assert_eq!((kinds["play"], kinds["pause"], kinds["seek"]), (2, 1, 1), "{kinds:?}");
        assert!(kinds["progress_tick"] >= 2, "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn leaving_a_page_during_playback_sends_a_beacon() {
    visit_demo(Screen::Desktop, Role::Teacher, async |visit| {
        visit.toggle_playback().await;
        visit.wait_until("return document.querySelector('video').currentTime > 1").await;
        visit.page.open(OTHER_PAGE).await;
        let script =
            "return Object.keys(localStorage).filter(key => key.startsWith('dataporter-player')).length";
        assert_eq!(
            visit.page.evaluate(script).await,
            json!(1),
            "a beacon gets no response, so the buffer is kept"
        );
        visit.wait_for_all_recorded().await;
        let recorded = visit.recorded_ids().await;
        // The reopened page sends the buffered events again, and the hub ignores the duplicates.
        visit.page.open(DEMO).await;
        visit.wait_for_event("play", "Guardado").await;
        visit
            .wait_until("return !Object.keys(localStorage).some(key => key.startsWith('dataporter-player'))")
            .await;
        assert_eq!(visit.recorded_ids().await, recorded);
    })
    .await;
}

#[tokio::test]
async fn unsent_events_survive_closing_the_page() {
    visit_demo(Screen::Phone, Role::Student, async |visit| {
        visit.chromium.block(Some(ENDPOINT)).await;
        visit.page.evaluate("navigator.sendBeacon = () => false").await;
        visit.toggle_playback().await;
        visit.wait_for_event("play", "Se reintenta").await;
        visit.toggle_playback().await;
        visit.wait_for_event("pause", "Se reintenta").await;
        accessibility::check(&visit.page, "the player demo without a connection").await;
        visit.page.open(OTHER_PAGE).await;
        visit.page.wait_for_text("Ajustes").await;
        visit.chromium.block(None).await;
        assert_eq!(visit.recorded_ids().await, Vec::<String>::new());
        visit.page.open(DEMO).await;
        visit.wait_for_event("pause", "Guardado").await;
        visit.ignore_network_errors().await;
        visit.wait_for_all_recorded().await;
        assert!(visit.page.has_text("Tu rol no puede ver otras").await);
    })
    .await;
}

#[tokio::test]
async fn another_tab_sends_the_events_of_a_closed_tab() {
    visit_demo(Screen::Desktop, Role::Teacher, async |visit| {
        let browser = &visit.chromium.client;
        visit.chromium.block(Some(ENDPOINT)).await;
        visit.page.evaluate("navigator.sendBeacon = () => false").await;
        visit.toggle_playback().await;
        visit.toggle_playback().await;
        visit.wait_for_event("pause", "Se reintenta").await;
        let first_tab = browser.window().await.unwrap();

        let other_tab = browser.new_window(true).await.unwrap().handle;
        browser.switch_to_window(other_tab.clone()).await.unwrap();
        visit.page.open(DEMO).await;
        visit.page.wait_for_text("Todavía no hay eventos").await;
        browser.switch_to_window(first_tab).await.unwrap();
        let created = visit.created_ids().await;
        visit.ignore_network_errors().await;
        browser.close_window().await.unwrap();
        browser.switch_to_window(other_tab).await.unwrap();
        visit.wait_for_event("pause", "Guardado").await;
        assert_eq!(visit.recorded_ids().await, created);
    })
    .await;
}

#[tokio::test]
async fn without_demo_data_the_page_does_not_exist() {
    visit(async |visit| {
        visit.open_as(Role::Admin, DEMO).await;
        visit.page.wait_for_text("Esta página no existe").await;
        let errors = visit.chromium.console_errors().await;
        assert!(errors.iter().all(|error| error.contains("404")), "{errors:?}");
    })
    .await;
}
