//! What a Teacher Admin sees of the rule that binds them.

use domain::Role;

use super::audit;
use super::visit::visit;

const NOTE: &str =
    "Como Teacher Admin eliges primero un curso o una lección: solo se exporta lo que les concierne.";

#[tokio::test]
async fn a_teacher_admin_sees_the_missing_filter_and_why_before_the_button() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::TeacherAdmin, "/es/admin/data-porter").await;
        let page = &visit.page;
        let note = page.read(NOTE).await;
        let button = page.inert_button("Descargar").await;
        let described_by = button.attr("aria-describedby").await.unwrap();
        assert_eq!(described_by, note.attr("id").await.unwrap(), "the button refers to the note");

        audit::page(page, "without a scope").await;

        page.search("Curso", "ingl", "Inglés B1").await;
        page.wait_for_address("/es/admin/data-porter?course_id=1").await;
        assert_eq!(page.rows().await.len(), 2);
        assert!(!page.says(NOTE).await);
        page.ready_button("Descargar").await;
    })
    .await;
}

#[tokio::test]
async fn a_course_is_asked_for_where_a_lesson_would_not_do() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        let address = "/es/admin/data-porter?dataset=teacher_submissions&lesson_id=11";
        visit.arrive(Role::TeacherAdmin, address).await;
        visit
            .page
            .read("Como Teacher Admin eliges primero un curso: solo se exporta lo que le concierne.")
            .await;
    })
    .await;
}

#[tokio::test]
async fn somebody_without_data_is_told_so_and_what_to_do() {
    visit(async |visit| {
        visit.arrive(Role::Teacher, "/es/admin/data-porter").await;
        visit.page.read("Tu rol no incluye datos para exportar").await;
        assert!(!visit.page.says("Registro").await, "the record of exports is for admins");
    })
    .await;
}
