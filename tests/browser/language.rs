//! Switching between Spanish and English.

use domain::Role;

use super::visit::visit;

#[tokio::test]
async fn the_language_changes_without_a_reload_and_is_remembered() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter?course_id=1").await;
        let page = &visit.page;
        page.wait_for_value("Curso", "Inglés B1").await;
        page.evaluate("window.sameDocument = true").await;
        page.choose("EN").await;
        page.wait_for_value("Course", "English B1").await;
        page.wait_for_address("/en/admin/data-porter?course_id=1").await;
        assert_eq!(page.evaluate("return window.sameDocument").await, true, "the document was not reloaded");
        assert_eq!(page.table_rows().await.len(), 2);
        assert_eq!(page.evaluate("return document.documentElement.lang").await, "en");
        assert_eq!(page.evaluate("return document.title").await, "Export · DataPorter Hub");
        page.open("/").await;
        page.button("Download").await;
        page.wait_for_address("/en/admin/data-porter").await;
    })
    .await;
}

#[tokio::test]
async fn the_start_page_uses_the_browsers_language() {
    visit(async |visit| {
        visit.page.open("/").await;
        visit.page.button("Entrar").await;
        visit.page.wait_for_address("/es/admin/data-porter").await;
        visit.page.open("/fr/admin/data-porter").await;
        visit.page.wait_for_address("/es/admin/data-porter").await;
    })
    .await;
}
