//! The two languages.

use domain::Role;

use super::visit::visit;

#[tokio::test]
async fn the_language_changes_in_place_and_is_kept() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::Admin, "/es/admin/data-porter?course_id=1").await;
        let page = &visit.page;
        page.wait_for_value("Curso", "Inglés B1").await;
        page.evaluate("window.sameDocument = true").await;
        page.choose("EN").await;
        page.wait_for_value("Course", "English B1").await;
        page.wait_for_address("/en/admin/data-porter?course_id=1").await;
        assert_eq!(page.evaluate("return window.sameDocument").await, true, "nothing was loaded anew");
        assert_eq!(page.rows().await.len(), 2);
        assert_eq!(page.evaluate("return document.documentElement.lang").await, "en");
        assert_eq!(page.evaluate("return document.title").await, "Export · DataPorter Hub");
        page.open("/").await;
        page.button("Download").await;
        page.wait_for_address("/en/admin/data-porter").await;
    })
    .await;
}

#[tokio::test]
async fn the_start_page_speaks_the_browsers_language() {
    visit(async |visit| {
        visit.page.open("/").await;
        visit.page.button("Entrar").await;
        visit.page.wait_for_address("/es/admin/data-porter").await;
        visit.page.open("/fr/admin/data-porter").await;
        visit.page.wait_for_address("/es/admin/data-porter").await;
    })
    .await;
}
