//! How the page explains a Teacher Admin's restrictions.

use domain::Role;

use super::accessibility;
use super::visit::visit;

const NOTE: &str =
    "Elige antes un curso o una lección. Un Teacher Admin exporta un solo curso o lección cada vez.";

#[tokio::test]
async fn a_teacher_admin_sees_why_downloading_needs_a_filter() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::TeacherAdmin, "/es/admin/data-porter").await;
        let page = &visit.page;
        let note = page.wait_for_text(NOTE).await;
        let button = page.disabled_button("Descargar").await;
        let described_by = button.attr("aria-describedby").await.unwrap();
        assert_eq!(described_by, note.attr("id").await.unwrap(), "the note describes the button");

        accessibility::check(page, "without a scope").await;

        page.search_and_choose("Curso", "ingl", "Inglés B1").await;
        page.wait_for_address("/es/admin/data-porter?course_id=1").await;
        assert_eq!(page.table_rows().await.len(), 2);
        assert!(!page.has_text(NOTE).await);
        page.enabled_button("Descargar").await;
    })
    .await;
}

#[tokio::test]
async fn a_course_is_required_if_a_lesson_is_not_enough() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        let address = "/es/admin/data-porter?dataset=teacher_submissions&lesson_id=11";
        visit.open_as(Role::TeacherAdmin, address).await;
        visit
            .page
            .wait_for_text("Elige antes un curso. Un Teacher Admin exporta un solo curso cada vez.")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_user_without_datasets_gets_an_explanation() {
    visit(async |visit| {
        visit.open_as(Role::Teacher, "/es/admin/data-porter").await;
        visit.page.wait_for_text("Tu rol no incluye datos para exportar").await;
        assert!(!visit.page.has_text("Actividad").await, "only admins see the audit log");
    })
    .await;
}
