//! What a Teacher Admin sees of the rule that binds them.

use domain::Role;
use fantoccini::key::Key;

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
        let button = page.button("Descargar").await;
        assert!(!button.is_enabled().await.unwrap());
        let described_by = button.attr("aria-describedby").await.unwrap();
        assert_eq!(described_by, note.attr("id").await.unwrap(), "the button refers to the note");
        assert!(!page.says("Snapshots de Teacher Admin").await, "a dataset out of reach is not offered");

        // By keyboard alone, as the combobox pattern has it.
        page.fill("Curso", "ingl").await;
        page.read("Inglés B1").await;
        page.press(Key::Down).await;
        page.press(Key::Enter).await;
        page.wait_for_address("/es/admin/data-porter?course_id=1").await;
        assert_eq!(page.rows().await.len(), 2);
        assert!(!page.says(NOTE).await);
        assert!(page.button("Descargar").await.is_enabled().await.unwrap());
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
