//! The light, dark and system themes.

use super::visit::{Visit, visit};

/// The brightness of the page's background, from 0 to 255.
async fn brightness(visit: &Visit) -> f64 {
    let script = "const channels = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);\
                  return (channels[0] + channels[1] + channels[2]) / 3";
    visit.page.evaluate(script).await.as_f64().expect("the script returns a number")
}

#[tokio::test]
async fn a_theme_applies_immediately_and_is_remembered() {
    visit(async |visit| {
        visit.chromium.set_system_theme("light").await;
        visit.page.open("/es/admin/data-porter").await;
        visit.page.choose("Oscuro").await;
        assert!(brightness(visit).await < 60.0);
        visit.page.reload().await;
        visit.page.button("Entrar").await;
        assert!(brightness(visit).await < 60.0, "the choice is remembered");
        visit.page.choose("Claro").await;
        assert!(brightness(visit).await > 200.0);
    })
    .await;
}

#[tokio::test]
async fn without_a_choice_the_page_follows_the_system() {
    visit(async |visit| {
        visit.chromium.set_system_theme("dark").await;
        visit.page.open("/es/admin/data-porter").await;
        visit.page.button("Entrar").await;
        assert!(brightness(visit).await < 60.0);
        visit.chromium.set_system_theme("light").await;
        assert!(brightness(visit).await > 200.0);
    })
    .await;
}
