//! The sync in the Hub: seen live by all who may, run by those who manage the settings.

use std::time::Instant;

use backend::clock::Clock;
use backend::config::Config;
use domain::Role;
use fantoccini::Locator;
use serde_json::json;
use stand_ins::config::{API_SECRET, MEASUREMENT_ID};
use stand_ins::fault::{Fault, Rule, When};
use stand_ins::{Service, StandIns};
use tokio::time::sleep;

use super::audit;
use super::chromium::Screen;
use super::line::{Line, State};
use super::page::{PATIENCE, PAUSE, Page};
use super::visit::{PASSWORD, Visit, visit_hub};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

const SYNC: &str = "/es/admin/data-porter/sync";
const LOST: &str = "Se perdió la conexión con el hub; se intenta de nuevo.";

/// Visits a hub by the true time, which is the browser's too, with some settings changed.
async fn visit_with(screen: Screen, change: impl FnOnce(&mut Config), claim: impl AsyncFnOnce(&Visit)) {
    let hub = Hub::at(Clock::system(), TestDatabase::new().await, change).await;
    visit_hub(hub, screen, claim).await;
}

impl Visit {
    /// So many events of the last hour, still to be sent; whoever watches is told.
    async fn pending_events(&self, count: u32) {
        self.hub
            .sql(&format!(
                "SELECT ensure_player_event_partitions(current_date - 1, current_date);
                 INSERT INTO video_player_events (event, recorded_at)
                 SELECT 'play', now() - interval '1 minute' * (n % 60) FROM generate_series(1, {count}) AS n;
                 SELECT pg_notify('dataporter_sync', '');"
            ))
            .await;
    }

    /// What the card with this title says, in one line.
    async fn card(&self, title: &str) -> String {
        let script = "return [...document.querySelectorAll('.card')]\
            .find(card => card.querySelector('h2')?.textContent.trim().startsWith(arguments[0]))?.innerText";
        let said = self.page.evaluate_with(script, vec![json!(title)]).await;
        said.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until a card begins with this; what is watched comes a moment after the page.
    async fn read_card(&self, title: &str, beginning: &str) {
        let began = Instant::now();
        loop {
            let card = self.card(title).await;
            if card.starts_with(beginning) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{card}");
            sleep(PAUSE).await;
        }
    }
}

/// No setting changed.
fn nothing(_: &mut Config) {}

/// GA4 as the stand-in for it.
fn send_to(stand_ins: &StandIns) -> impl FnOnce(&mut Config) {
    let url = stand_ins.ga4_url().parse().unwrap();
    move |config| {
        let ga4 = &mut config.telemetry.ga4;
        ga4.enabled = true;
        ga4.measurement_id = Some(MEASUREMENT_ID.to_owned());
        ga4.api_secret = Some(API_SECRET.into());
        ga4.base_url = url;
        ga4.concurrency = 1;
    }
}

#[tokio::test]
async fn a_run_started_in_one_window_moves_in_another_as_it_goes() {
    let stand_ins = StandIns::start().await.unwrap();
    // One request an event; the twenty-sixth takes its time.
    let slow = Rule::new(Service::Ga4, Fault::Slow).when(When::Nth(vec![26])).delay_millis(8_000);
    stand_ins.set_faults([slow]).unwrap();
    visit_with(Screen::Wide, send_to(&stand_ins), async |visit| {
        visit.pending_events(60).await;
        visit.arrive(Role::Admin, SYNC).await;
        let (page, browser) = (&visit.page, &visit.chromium.client);
        page.read("Todavía no hay ejecuciones").await;
        let starter = browser.window().await.unwrap();
        let watcher = browser.new_window(false).await.unwrap().handle;
        browser.switch_to_window(watcher.clone()).await.unwrap();
        page.open(SYNC).await;
        page.read("Todavía no hay ejecuciones").await;
        visit.read_card("GA4", "GA4 · activo 60 pendientes").await;

        browser.switch_to_window(starter.clone()).await.unwrap();
        page.fill("Límite de eventos", "0").await;
        page.click("Ejecutar sincronización").await;
        page.read("Escribe un número entero entre 1 y 100.000.").await;
        page.fill("Límite de eventos", "500").await;
        page.click("Ejecutar sincronización").await;
        browser.switch_to_window(watcher).await.unwrap();
        page.read("25 de 60").await;
        let bar =
            "const bar = document.querySelector('progress'); return [bar.computedName, bar.value, bar.max]";
        assert_eq!(page.evaluate(bar).await, json!(["GA4", 25, 60]));
        page.inert_button("Ejecutar sincronización").await;
        audit::page(page, "a run under way").await;
        page.read("GA4: 60 entregados").await;
        page.read("No falta enviar ninguno.").await;
        assert!(visit.card("Última sincronización").await.ends_with("60 eventos"));
        audit::page(page, "after a run").await;

        browser.switch_to_window(starter).await.unwrap();
        page.read("Ejecución terminada: 60 eventos.").await;
        page.click("Reintentar último lote").await;
        page.read("No queda nada por reintentar del último lote.").await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_is_cut_or_silent_is_told_calmly_and_mended_by_itself() {
    visit_with(Screen::Wide, nothing, async |visit| {
        visit.person("ana", Role::Admin).await;
        let line = Line::to(&visit.hub.url("")).await;
        let page = Page::new(visit.chromium.client.clone(), line.url());
        page.open(SYNC).await;
        visit.sign_in("ana", PASSWORD).await;
        page.read("No falta enviar ninguno.").await;

        line.set(State::Cut);
        page.read(LOST).await;
        visit.pending_events(3).await;
        assert!(
            visit.card("Eventos pendientes").await.starts_with("Eventos pendientes 0"),
            "the last known number"
        );
        audit::page(&page, "cut off").await;
        line.set(State::Whole);
        page.read("El más antiguo").await;
        assert!(!page.says(LOST).await);

        // A network that changes says so, and a line that gives no sign of life then counts as cut.
        line.set(State::Silent);
        page.evaluate("dispatchEvent(new Event('offline'))").await;
        page.read(LOST).await;
        line.set(State::Whole);
        page.click("Intentar ahora").await;
        page.gone(LOST).await;
        visit.forgive_lost_requests().await;
    })
    .await;
}

#[tokio::test]
async fn a_teacher_admin_sees_the_sync_and_starts_nothing() {
    visit_with(Screen::Wide, nothing, async |visit| {
        visit.arrive(Role::TeacherAdmin, SYNC).await;
        visit.page.read("Sin GA4 ni Mixpanel no se envía nada: configura uno.").await;
        visit.page.read("Todavía no hay ejecuciones").await;
        assert!(!visit.page.says("Ejecutar sincronización").await);
        assert!(!visit.page.says("Reintentar último lote").await);
        let person = visit.hub.rows("SELECT id FROM users WHERE role = 'teacher_admin'").await;
        let token = visit.hub.sign_in(person[0]["id"].as_i64().unwrap()).await;
        for mutation in ["runTelemetrySync", "retryLastSyncBatch"] {
            let answer = visit.hub.graphql(&format!("mutation {{ {mutation} {{ id }} }}")).by(&token);
            assert_eq!(answer.code().await, "FORBIDDEN");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_pending_lights_up_at_the_threshold_and_says_what_to_do() {
    let stand_ins = StandIns::start().await.unwrap();
    let settings = send_to(&stand_ins);
    let change = |config: &mut Config| {
        settings(config);
        config.telemetry.alert.threshold = 3;
    };
    visit_with(Screen::Wide, change, async |visit| {
        visit.pending_events(2).await;
        visit.arrive(Role::Admin, "/es/admin/data-porter").await;
        visit.page.read("El más antiguo").await;
        assert!(!visit.page.says("Ir a Sincronización").await);
        visit.pending_events(1).await;
        visit.page.read("Alcanza el umbral (3).").await;
        let card = visit.card("Eventos pendientes").await;
        assert!(card.ends_with("Ejecuta la sincronización. Ir a Sincronización"), "{card}");
        audit::page(&visit.page, "with a backlog").await;
        visit.page.follow("Ir a Sincronización").await;
        visit.page.wait_for_address(SYNC).await;
        visit.page.open("/en/admin/data-porter/sync").await;
        visit.page.read("At the threshold (3).").await;
        assert!(visit.card("Pending events").await.ends_with("Run the sync."));
        assert!(visit.card("Mixpanel · turned off").await.ends_with("MIXPANEL_ENABLED=true turns it on."));
    })
    .await;
}

#[tokio::test]
async fn a_service_that_lacks_a_setting_is_amber_and_names_it_even_on_a_phone() {
    let change = |config: &mut Config| config.telemetry.mixpanel.enabled = true;
    visit_with(Screen::Phone, change, async |visit| {
        visit.pending_events(1).await;
        visit.person("ana", Role::Admin).await;
        visit.page.open(SYNC).await;
        visit.sign_in("ana", PASSWORD).await;
        visit.page.read("Define MIXPANEL_PROJECT_TOKEN en la configuración del hub.").await;
        let signs = visit.chromium.client.find_all(Locator::Css(".card__sign--warn")).await.unwrap();
        assert_eq!(signs.len(), 1);
        visit.page.click("Ejecutar sincronización").await;
        visit.page.read("Corrige la causa y vuelve a ejecutarla: nada se ha perdido.").await;
        audit::page(&visit.page, "with a setting missing").await;
    })
    .await;
}
