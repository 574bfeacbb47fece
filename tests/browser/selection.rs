//! Choosing datasets, courses and lessons.

use domain::{Dataset, Role};

use super::visit::{Visit, visit};

const HUB: &str = "/es/admin/data-porter";

/// The datasets that the page offers.
async fn offered(visit: &Visit) -> Vec<Dataset> {
    visit.page.button(Dataset::VideoPlayerEvents.describe().title.es).await;
    let script = "return [...document.querySelectorAll('button')].map(button => button.textContent.trim())";
    let buttons = visit.page.evaluate(script).await;
    let buttons: Vec<String> = serde_json::from_value(buttons).unwrap();
    let is_offered = |dataset: &Dataset| buttons.iter().any(|text| text == dataset.describe().title.es);
    Dataset::ALL.into_iter().filter(is_offered).collect()
}

#[tokio::test]
async fn an_admin_is_offered_every_dataset() {
    visit(async |visit| {
        visit.open_as(Role::Admin, HUB).await;
        assert_eq!(offered(visit).await, Dataset::ALL);
    })
    .await;
}

#[tokio::test]
async fn a_teacher_admin_is_offered_all_but_teacher_snapshots() {
    visit(async |visit| {
        visit.open_as(Role::TeacherAdmin, HUB).await;
        let others = Dataset::ALL.into_iter().filter(|dataset| *dataset != Dataset::TeacherActivitySnapshots);
        assert_eq!(offered(visit).await, others.collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_lesson_is_found_by_its_name_within_the_chosen_course() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, HUB).await;
        let page = &visit.page;
        page.search_and_choose("Lección", "salu", "Salutations").await;
        page.wait_for_address("/es/admin/data-porter?lesson_id=21").await;
        page.wait_for_text("1 fila").await;
        assert_eq!(page.table_rows().await.len(), 1);
        page.click("Quitar filtros").await;
        page.search_and_choose("Curso", "ingl", "Inglés B1").await;
        page.fill("Lección", "salu").await;
        page.wait_for_text("Sin coincidencias. Prueba con otra palabra.").await;
        page.search_and_choose("Lección", "past", "Past simple").await;
        page.wait_for_address("/es/admin/data-porter?course_id=1&lesson_id=11").await;
        page.wait_for_text("2 filas").await;
        assert_eq!(page.table_rows().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_latest_search_text_determines_the_options() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, HUB).await;
        let page = &visit.page;
        // Focusing the field searches for all courses. That response must not replace the one for the text.
        page.fill("Curso", "ingl").await;
        page.option("Inglés B1").await;
        let options = "return [...document.querySelectorAll('[role=option]')].length";
        assert_eq!(page.evaluate(options).await, 1);
    })
    .await;
}
