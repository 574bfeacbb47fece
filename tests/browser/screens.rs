//! Every page on every screen: nothing overflows, everything has a name, and everything can be read.

use domain::Role;
use fantoccini::key::Key;

use super::audit;
use super::chromium::Screen;
use super::visit::{Visit, visit, visit_on};

/// The pages and what shows that each is complete.
const PAGES: [(&str, &str); 5] = [
    ("/es/admin/data-porter", "Se muestran las 10 primeras."),
    ("/es/admin/data-porter?dataset=practice_package_orders&user_id=x", "No es un identificador."),
    ("/es/admin/data-porter/sync", "Todavía no hay ejecuciones"),
    ("/es/admin/data-porter/records", "Todavía no hay exportaciones"),
    ("/es/admin/data-porter/account", "No tienes tokens"),
];

/// Whether the middle of what has the focus is what one sees there.
const IS_IN_SIGHT: &str = "const { x, y, width, height } = document.activeElement.getBoundingClientRect();\
    return document.activeElement.contains(document.elementFromPoint(x + width / 2, y + height / 2))";

async fn look_at_every_page(visit: &Visit) {
    visit.lessons_and_events().await;
    let more = "INSERT INTO video_player_events (event, recorded_at, metadata) \
                SELECT 'progress_tick', '2027-01-12T10:00:00Z', '{\"quality\": \"1080p\"}' FROM generate_series(1, 20)";
    visit.hub.sql(more).await;
    visit.person("ana", Role::Admin).await;
    visit.page.open(PAGES[0].0).await;
    visit.page.button("Entrar").await;
    audit::page(&visit.page, "signing in").await;
    visit.sign_in("ana", super::visit::PASSWORD).await;
    for (address, sign) in PAGES {
        visit.page.read("Exportar").await;
        visit.page.open(address).await;
        visit.page.read(sign).await;
        audit::page(&visit.page, address).await;
    }
    visit.page.open(PAGES[0].0).await;
    visit.page.button("Descargar").await;
    visit.page.tab_to("Opciones de CSV").await;
    assert_eq!(visit.page.evaluate(IS_IN_SIGHT).await, true, "what has the focus lies under something");
    visit.page.press(Key::Enter).await;
    visit.page.fill("Curso", "fran").await;
    visit.page.option("Francés A1").await;
    audit::page(&visit.page, "with everything unfolded").await;
}

#[tokio::test]
async fn every_page_fits_a_desk_and_can_be_read_in_light_and_dark() {
    visit(look_at_every_page).await;
}

#[tokio::test]
async fn every_page_fits_the_narrowest_phone() {
    visit_on(Screen::Phone, look_at_every_page).await;
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
        let bytes = visit.page.evaluate(script).await.as_u64().expect("a number of bytes");
        assert!((100_000..=400_000).contains(&bytes), "{bytes} bytes");
    })
    .await;
}
