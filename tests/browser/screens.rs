//! Accessibility of every page on every screen size, and the size of the first load.

use domain::Role;
use fantoccini::key::Key;

use super::accessibility;
use super::chromium::Screen;
use super::visit::{Visit, visit, visit_on};

/// The pages, each with a text that shows that it has loaded.
const PAGES: [(&str, &str); 5] = [
    ("/es/admin/data-porter", "Se muestran las 10 primeras."),
    ("/es/admin/data-porter?dataset=practice_package_orders&user_id=x", "No es un identificador."),
    ("/es/admin/data-porter/sync", "Todavía no hay ejecuciones"),
    ("/es/admin/data-porter/records", "Todavía no hay exportaciones"),
    ("/es/admin/data-porter/account", "No tienes tokens"),
];

/// Whether the center of the focused element is visible.
const IS_FOCUS_VISIBLE: &str = "const { x, y, width, height } = document.activeElement.getBoundingClientRect();\
    return document.activeElement.contains(document.elementFromPoint(x + width / 2, y + height / 2))";

async fn check_every_page(visit: &Visit) {
    visit.insert_lessons_and_events().await;
    let more_events = "INSERT INTO video_player_events (event, recorded_at, metadata) \
                SELECT 'progress_tick', '2027-01-12T10:00:00Z', '{\"quality\": \"1080p\"}' FROM generate_series(1, 20)";
    visit.hub.sql(more_events).await;
    visit.create_user("ana", Role::Admin).await;
    visit.page.open(PAGES[0].0).await;
    visit.page.button("Entrar").await;
    accessibility::check(&visit.page, "signing in").await;
    visit.sign_in("ana", super::visit::PASSWORD).await;
    for (address, text) in PAGES {
        visit.page.wait_for_text("Exportar").await;
        visit.page.open(address).await;
        visit.page.wait_for_text(text).await;
        accessibility::check(&visit.page, address).await;
    }
    visit.page.open(PAGES[0].0).await;
    visit.page.button("Descargar").await;
    visit.page.tab_to("Opciones de CSV").await;
    assert_eq!(visit.page.evaluate(IS_FOCUS_VISIBLE).await, true, "another element covers the focused one");
    visit.page.press(Key::Enter).await;
    visit.page.fill("Curso", "fran").await;
    visit.page.option("Francés A1").await;
    accessibility::check(&visit.page, "with everything expanded").await;
}

#[tokio::test]
async fn every_page_is_accessible_on_a_desktop() {
    visit(check_every_page).await;
}

#[tokio::test]
async fn every_page_is_accessible_on_the_narrowest_phone() {
    visit_on(Screen::Phone, check_every_page).await;
}

#[tokio::test]
async fn the_first_load_is_small() {
    visit(async |visit| {
        visit.page.open("/es/admin/data-porter").await;
        visit.page.button("Entrar").await;
        let script = "return performance.getEntriesByType('resource')\
                      .concat(performance.getEntriesByType('navigation'))\
                      .filter(entry => entry.initiatorType !== 'fetch' || entry.name.endsWith('.wasm'))\
                      .reduce((sum, entry) => sum + entry.encodedBodySize, 0)";
        let bytes = visit.page.evaluate(script).await.as_u64().expect("the script returns a number");
        assert!((100_000..=400_000).contains(&bytes), "{bytes} bytes");
    })
    .await;
}
