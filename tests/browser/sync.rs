//! The sync page: live status for everyone with access, and controls for those who manage settings.

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

use super::accessibility;
use super::chromium::Screen;
use super::hub_proxy::{HubProxy, ProxyState};
use super::page::{POLL_INTERVAL, Page, WAIT_TIMEOUT};
use super::visit::{PASSWORD, Visit, visit_hub};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;

const SYNC: &str = "/es/admin/data-porter/sync";
const LOST: &str = "Se perdió la conexión. Reintentando…";

/// Visits a hub with the system clock, like the browser's, and with some settings changed.
async fn visit_with(screen: Screen, change: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&Visit)) {
    let hub = Hub::at(Clock::system(), TestDatabase::new().await, change).await;
    visit_hub(hub, screen, test).await;
}

impl Visit {
    /// Inserts pending events of the last hour, and notifies the status feed.
    async fn insert_pending_events(&self, count: u32) {
        self.hub
            .sql(&format!(
                "SELECT ensure_player_event_partitions(current_date - 1, current_date);
                 INSERT INTO video_player_events (event, recorded_at)
                 SELECT 'play', now() - interval '1 minute' * (n % 60) FROM generate_series(1, {count}) AS n;
                 SELECT pg_notify('dataporter_sync', '');"
            ))
            .await;
    }

    /// The text of the card with this title, on one line.
    async fn card_text(&self, title: &str) -> String {
        let script = "return [...document.querySelectorAll('.card')]\
            .find(card => card.querySelector('h2')?.textContent.trim().startsWith(arguments[0]))?.innerText";
        let text = self.page.evaluate_with(script, vec![json!(title)]).await;
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until the text of a card starts with this. The status arrives shortly after the page.
    async fn wait_for_card(&self, title: &str, prefix: &str) {
        let began = Instant::now();
        loop {
            let card = self.card_text(title).await;
            if card.starts_with(prefix) {
                return;
            }
            assert!(began.elapsed() < WAIT_TIMEOUT, "{card}");
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Changes no settings.
fn default_settings(_: &mut Config) {}

/// Enables GA4, sending to its stand-in.
fn enable_ga4(stand_ins: &StandIns) -> impl FnOnce(&mut Config) {
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
async fn a_run_started_in_one_window_shows_live_progress_in_another() {
    let stand_ins = StandIns::start().await.unwrap();
    // One request per event. The 26th is slow.
    let slow = Rule::new(Service::Ga4, Fault::Slow).when(When::Nth(vec![26])).delay_millis(14_000);
    stand_ins.set_faults([slow]).unwrap();
    visit_with(Screen::Desktop, enable_ga4(&stand_ins), async |visit| {
        visit.insert_pending_events(60).await;
        visit.open_as(Role::Admin, SYNC).await;
        let (page, browser) = (&visit.page, &visit.chromium.client);
        page.wait_for_text("Todavía no hay ejecuciones").await;
        let starter = browser.window().await.unwrap();
        let watcher = browser.new_window(false).await.unwrap().handle;
        browser.switch_to_window(watcher.clone()).await.unwrap();
        page.open(SYNC).await;
        page.wait_for_text("Todavía no hay ejecuciones").await;
        visit.wait_for_card("GA4", "GA4 · activo 60 pendientes").await;

        browser.switch_to_window(starter.clone()).await.unwrap();
        page.fill("Límite de eventos", "0").await;
        page.click("Ejecutar sincronización").await;
        page.wait_for_text("Escribe un número entero entre 1 y 100.000.").await;
        page.fill("Límite de eventos", "500").await;
        page.click("Ejecutar sincronización").await;
        browser.switch_to_window(watcher).await.unwrap();
        page.wait_for_text("25 de 60").await;
        let bar =
            "const bar = document.querySelector('progress'); return [bar.computedName, bar.value, bar.max]";
        assert_eq!(page.evaluate(bar).await, json!(["GA4", 25, 60]));
        page.disabled_button("Ejecutar sincronización").await;
        accessibility::check(page, "a run in progress").await;
        page.wait_for_text("GA4: 60 entregados").await;
        page.wait_for_text("No falta enviar ninguno.").await;
        assert!(visit.card_text("Última sincronización").await.ends_with("60 eventos"));
        accessibility::check(page, "after a run").await;

        browser.switch_to_window(starter).await.unwrap();
        page.wait_for_text("Ejecución terminada: 60 eventos.").await;
        page.click("Reintentar último lote").await;
        page.wait_for_text("No queda nada por reintentar del último lote.").await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_is_reported_and_restored() {
    visit_with(Screen::Desktop, default_settings, async |visit| {
        visit.create_user("ana", Role::Admin).await;
        let proxy = HubProxy::start(&visit.hub.url("")).await;
        let page = Page::new(visit.chromium.client.clone(), proxy.url());
        page.open(SYNC).await;
        visit.sign_in("ana", PASSWORD).await;
        page.wait_for_text("No falta enviar ninguno.").await;

        proxy.set_state(ProxyState::Disconnected);
        page.wait_for_text(LOST).await;
        visit.insert_pending_events(3).await;
        assert!(
            visit.card_text("Eventos pendientes").await.starts_with("Eventos pendientes 0"),
            "the card keeps the last known number"
        );
        accessibility::check(&page, "without a connection").await;
        proxy.set_state(ProxyState::Forwarding);
        page.wait_for_text("El más antiguo").await;
        assert!(!page.has_text(LOST).await);

        // The browser reports a network change, after which a silent connection counts as lost.
        proxy.set_state(ProxyState::Silent);
        page.evaluate("dispatchEvent(new Event('offline'))").await;
        page.wait_for_text(LOST).await;
        proxy.set_state(ProxyState::Forwarding);
        page.click("Intentar ahora").await;
        page.wait_until_gone(LOST).await;
        visit.ignore_network_errors().await;
    })
    .await;
}

#[tokio::test]
async fn a_teacher_admin_sees_the_sync_but_cannot_start_it() {
    visit_with(Screen::Desktop, default_settings, async |visit| {
        visit.open_as(Role::TeacherAdmin, SYNC).await;
        visit.page.wait_for_text("Sin GA4 ni Mixpanel no se envía nada: configura uno.").await;
        visit.page.wait_for_text("Todavía no hay ejecuciones").await;
        assert!(!visit.page.has_text("Ejecutar sincronización").await);
        assert!(!visit.page.has_text("Reintentar último lote").await);
        let user = visit.hub.rows("SELECT id FROM users WHERE role = 'teacher_admin'").await;
        let token = visit.hub.sign_in(user[0]["id"].as_i64().unwrap()).await;
        for mutation in ["runTelemetrySync", "retryLastSyncBatch"] {
            let response = visit.hub.graphql(&format!("mutation {{ {mutation} {{ id }} }}")).by(&token);
            assert_eq!(response.code().await, "FORBIDDEN");
        }
    })
    .await;
}

#[tokio::test]
async fn the_backlog_card_warns_at_the_threshold() {
    let stand_ins = StandIns::start().await.unwrap();
    let settings = enable_ga4(&stand_ins);
    let change = |config: &mut Config| {
        settings(config);
        config.telemetry.alert.threshold = 3;
    };
    visit_with(Screen::Desktop, change, async |visit| {
        visit.insert_pending_events(2).await;
        visit.open_as(Role::Admin, "/es/admin/data-porter").await;
        visit.page.wait_for_text("El más antiguo").await;
        assert!(!visit.page.has_text("Ir a Sincronización").await);
        visit.insert_pending_events(1).await;
        visit.page.wait_for_text("Alcanza el límite de 3.").await;
        let card = visit.card_text("Eventos pendientes").await;
        assert!(card.ends_with("Ejecuta la sincronización. Ir a Sincronización"), "{card}");
        accessibility::check(&visit.page, "with a backlog").await;
        visit.page.follow_link("Ir a Sincronización").await;
        visit.page.wait_for_address(SYNC).await;
        visit.page.open("/en/admin/data-porter/sync").await;
        visit.page.wait_for_text("At the limit of 3.").await;
        assert!(visit.card_text("Pending events").await.ends_with("Run the sync."));
        assert!(
            visit.card_text("Mixpanel · off").await.ends_with("To turn it on, set MIXPANEL_ENABLED=true.")
        );
    })
    .await;
}

#[tokio::test]
async fn a_missing_setting_is_shown_as_a_warning_on_a_phone() {
    let change = |config: &mut Config| config.telemetry.mixpanel.enabled = true;
    visit_with(Screen::Phone, change, async |visit| {
        visit.insert_pending_events(1).await;
        visit.create_user("ana", Role::Admin).await;
        visit.page.open(SYNC).await;
        visit.sign_in("ana", PASSWORD).await;
        visit.page.wait_for_text("Define MIXPANEL_PROJECT_TOKEN en la configuración del hub.").await;
        let warnings = visit.chromium.client.find_all(Locator::Css(".card__status--warn")).await.unwrap();
        assert_eq!(warnings.len(), 1);
        visit.page.click("Ejecutar sincronización").await;
        visit.page.wait_for_text("Corrige la causa y vuelve a ejecutarla: nada se ha perdido.").await;
        accessibility::check(&visit.page, "with a setting missing").await;
    })
    .await;
}
