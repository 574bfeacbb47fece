//! The player's demo: whatever happens in the video is recorded once, whatever happens to the network and the page.

use std::collections::BTreeMap;

use backend::clock::Clock;
use backend::demo::{self, Options};
use domain::Role;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::audit;
use super::chromium::{Network, Screen};
use super::page::{PATIENCE, PAUSE};
use super::visit::{Visit, visit, visit_hub};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

const DEMO: &str = "/es/player-demo";
const ELSEWHERE: &str = "/es/admin/data-porter/account";
const ENDPOINT: &str = "*/api/video/progress";

/// Notes every id that is made on the page from now on, for as long as the tab is there. The first one is none of an
/// event's: it tells the buffers of several tabs apart.
const NOTE_IDS: &str = "const make = crypto.randomUUID.bind(crypto);\
    crypto.randomUUID = () => { const id = make(); \
    sessionStorage.made = (sessionStorage.made ?? '') + id + ' '; return id }";

/// Visits the demo as somebody of that role.
async fn visit_demo(screen: Screen, role: Role, claim: impl AsyncFnOnce(&Visit)) {
    // The browser has a clock of its own, which does not stand still.
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
        let person = sign_ins.iter().find(|sign_in| sign_in.role == role).unwrap();
        visit.page.open(DEMO).await;
        visit.page.fill("Correo electrónico", person.email).await;
        visit.page.evaluate(NOTE_IDS).await;
        visit.page.fill("Contraseña", person.password.expose_secret()).await;
        visit.page.click("Entrar").await;
        visit.page.read("Todavía no hay eventos").await;
        visit.wait_for("return !!sessionStorage.made").await;
        claim(visit).await;
    })
    .await;
}

impl Visit {
    /// Waits until a script that returns whether it is so returns that it is.
    async fn wait_for(&self, script: &str) {
        let wait = async {
            let mut pause = tokio::time::interval(PAUSE);
            while self.page.evaluate(script).await != true {
                pause.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{script} is not so");
    }

    /// Waits until the list shows an event in a state.
    async fn see(&self, event: &str, state: &str) {
        let script = format!(
            "return [...document.querySelectorAll('tbody tr')].some(row => \
             row.cells[0].textContent === '{event}' && row.cells[2].textContent === '{state}')"
        );
        self.wait_for(&script).await;
    }

    /// Presses the space bar in the video: plays or pauses.
    async fn toggle(&self) {
        self.page.evaluate("document.querySelector('video').focus()").await;
        self.page.write(" ").await;
    }

    /// The ids of the events that were made, in order of their letters.
    async fn made(&self) -> Vec<String> {
        let made = self.page.evaluate("return sessionStorage.made ?? ''").await;
        let mut made: Vec<String> =
            made.as_str().unwrap().split_whitespace().skip(1).map(str::to_owned).collect();
        made.sort();
        made
    }

    /// The ids that are recorded, in order of their letters; one that is there twice is there twice.
    async fn recorded(&self) -> Vec<String> {
        let ids = "SELECT client_event_id::text FROM video_player_events ORDER BY 1";
        let rows = self.hub.database.client().await.query(ids, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until everything that was made is recorded, each once.
    async fn wait_for_all_recorded(&self) {
        let made = self.made().await;
        let mut recorded = Vec::new();
        let wait = async {
            let mut pause = tokio::time::interval(PAUSE);
            while recorded != made {
                pause.tick().await;
                recorded = self.recorded().await;
            }
        };
        let has_come = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        let left = self.page.evaluate("return Object.entries(localStorage).join()").await;
        assert!(has_come, "{left} recorded {recorded:#?}, made {made:#?}");
    }

    /// How many events of each kind the hub has, as an admin reads them.
    async fn kinds(&self) -> BTreeMap<String, usize> {
        let admin = self.hub.user(Role::Admin).await;
        let query = "{ videoPlayerEvents(first: 100) { nodes { event lessonId provider contextTag } } }";
        let answer = self.hub.graphql(query).by(&admin.token).data().await;
        let mut kinds = BTreeMap::new();
        for node in answer["videoPlayerEvents"]["nodes"].as_array().unwrap() {
            assert_ne!(node["lessonId"], Value::Null);
            assert_eq!(node["contextTag"], "player-demo");
            *kinds.entry(node["event"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    }
}

#[tokio::test]
async fn what_is_played_is_recorded_once_through_a_lost_network_and_a_page_that_is_left() {
    visit_demo(Screen::Wide, Role::Admin, async |visit| {
        visit.toggle().await;
        visit.see("play", "Guardado").await;
        visit.see("progress_tick", "Guardado").await;
        audit::page(&visit.page, "the player's demo").await;
        // Somebody drags along the bar: one seek.
        visit
            .page
            .evaluate("for (const at of [20, 25, 31]) document.querySelector('video').currentTime = at")
            .await;
        visit.see("seek", "Guardado").await;

        visit.chromium.set_network(Network::Lost).await;
        visit.page.read("No se llega al hub").await;
        visit.toggle().await;
        visit.see("pause", "Se reintenta").await;
        visit.toggle().await;
        visit.chromium.set_network(Network::There).await;
        visit.page.read("Nada pendiente.").await;
        visit.forgive_lost_requests().await;

        // Away while it plays: the browser's beacon brings the rest.
        visit.wait_for("return document.querySelector('video').currentTime > 32").await;
        visit.page.follow("Exportar").await;
        visit.page.button("Descargar").await;
        visit.page.open(ELSEWHERE).await;
        visit.wait_for_all_recorded().await;
        let kinds = visit.kinds().await;
        assert_eq!((kinds["play"], kinds["pause"], kinds["seek"]), (2, 1, 1), "{kinds:?}");
        assert!(kinds["progress_tick"] >= 2, "{kinds:?}");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_closed_while_it_plays_sends_a_beacon() {
    visit_demo(Screen::Wide, Role::Teacher, async |visit| {
        visit.toggle().await;
        visit.wait_for("return document.querySelector('video').currentTime > 1").await;
        visit.page.open(ELSEWHERE).await;
        let script =
            "return Object.keys(localStorage).filter(key => key.startsWith('dataporter-player')).length";
        assert_eq!(visit.page.evaluate(script).await, json!(1), "a beacon has no answer");
        visit.wait_for_all_recorded().await;
        let recorded = visit.recorded().await;
        // Back again, the page sends what it cannot know to be recorded: nothing new.
        visit.page.open(DEMO).await;
        visit.see("play", "Guardado").await;
        visit
            .wait_for("return !Object.keys(localStorage).some(key => key.startsWith('dataporter-player'))")
            .await;
        assert_eq!(visit.recorded().await, recorded);
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_sent_outlives_the_page() {
    visit_demo(Screen::Phone, Role::Student, async |visit| {
        visit.chromium.block(Some(ENDPOINT)).await;
        visit.page.evaluate("navigator.sendBeacon = () => false").await;
        visit.toggle().await;
        visit.see("play", "Se reintenta").await;
        visit.toggle().await;
        visit.see("pause", "Se reintenta").await;
        audit::page(&visit.page, "the player's demo, cut off").await;
        visit.page.open(ELSEWHERE).await;
        visit.page.read("Cuenta").await;
        visit.chromium.block(None).await;
        assert_eq!(visit.recorded().await, Vec::<String>::new());
        visit.page.open(DEMO).await;
        visit.see("pause", "Guardado").await;
        visit.forgive_lost_requests().await;
        visit.wait_for_all_recorded().await;
        assert!(visit.page.says("tu rol no ve la lista").await);
    })
    .await;
}

#[tokio::test]
async fn what_a_closed_tab_has_left_is_sent_by_another() {
    visit_demo(Screen::Wide, Role::Teacher, async |visit| {
        let browser = &visit.chromium.client;
        visit.chromium.block(Some(ENDPOINT)).await;
        visit.page.evaluate("navigator.sendBeacon = () => false").await;
        visit.toggle().await;
        visit.toggle().await;
        visit.see("pause", "Se reintenta").await;
        let left = browser.window().await.unwrap();

        let other = browser.new_window(true).await.unwrap().handle;
        browser.switch_to_window(other.clone()).await.unwrap();
        visit.page.open(DEMO).await;
        visit.page.read("Todavía no hay eventos").await;
        browser.switch_to_window(left).await.unwrap();
        let made = visit.made().await;
        visit.forgive_lost_requests().await;
        browser.close_window().await.unwrap();
        browser.switch_to_window(other).await.unwrap();
        visit.see("pause", "Guardado").await;
        assert_eq!(visit.recorded().await, made);
    })
    .await;
}

#[tokio::test]
async fn without_the_demo_there_is_no_such_page() {
    visit(async |visit| {
        visit.arrive(Role::Admin, DEMO).await;
        visit.page.read("Esta página no existe").await;
        let complaints = visit.chromium.complaints().await;
        assert!(complaints.iter().all(|complaint| complaint.contains("404")), "{complaints:?}");
    })
    .await;
}
