//! Using the Hub without a mouse.

use domain::Role;
use fantoccini::key::Key;

use super::visit::{PASSWORD, visit};

#[tokio::test]
async fn signing_in_and_exporting_work_by_keyboard() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.create_user("ana", Role::TeacherAdmin).await;
        let page = &visit.page;
        page.open("/es/admin/data-porter").await;
        page.button("Entrar").await;
        page.tab_to("Correo").await;
        page.type_text("ana@example.com").await;
        page.tab_to("Contraseña").await;
        page.type_text(PASSWORD).await;
        page.press(Key::Enter).await;

        page.field("Curso").await;
        page.tab_to("Curso").await;
        page.type_text("ingl").await;
        page.option("Inglés B1").await;
        page.press(Key::Down).await;
        page.press(Key::Enter).await;
        page.wait_for_address("/es/admin/data-porter?course_id=1").await;
        page.tab_to("CSV").await;
        page.press(Key::Right).await;
        page.wait_for_address("/es/admin/data-porter?course_id=1&format=json").await;
        page.tab_to("Descargar").await;
        page.press(Key::Enter).await;
        let file: serde_json::Value = serde_json::from_str(&visit.chromium.downloaded("json").await).unwrap();
        assert_eq!([&file[0]["event"], &file[1]["event"]], ["seek", "play"]);
        assert_eq!(file.as_array().map(Vec::len), Some(2));
    })
    .await;
}

#[tokio::test]
async fn the_first_tab_stop_skips_the_navigation() {
    visit(async |visit| {
        visit.open_as(Role::Admin, "/es/admin/data-porter").await;
        visit.page.reload().await;
        visit.page.button("Descargar").await;
        visit.page.press(Key::Tab).await;
        assert_eq!(visit.page.focused_name().await, "Saltar al contenido");
        visit.page.press(Key::Enter).await;
        visit.page.press(Key::Tab).await;
        assert_eq!(visit.page.focused_name().await, "Eventos del reproductor");
    })
    .await;
}

#[tokio::test]
async fn changing_pages_moves_the_focus_to_the_heading() {
    visit(async |visit| {
        visit.open_as(Role::Admin, "/es/admin/data-porter").await;
        visit.page.follow_link("Ajustes").await;
        visit.page.wait_for_text("Tokens de API").await;
        assert_eq!(visit.page.focused_name().await, "Ajustes");
    })
    .await;
}
