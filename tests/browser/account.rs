//! The account page.

use domain::Role;

use super::accessibility;
use super::visit::visit;

#[tokio::test]
async fn a_token_is_shown_once_works_and_can_be_revoked() {
    visit(async |visit| {
        visit.open_as(Role::Admin, "/es/admin/data-porter/account").await;
        let page = &visit.page;
        page.wait_for_text("No tienes tokens").await;
        page.click("Crear token").await;
        page.wait_for_text("Escribe un nombre.").await;
        page.fill("Nombre", "Informe semanal").await;
        page.click("Crear token").await;
        page.wait_for_text("Token creado.").await;
        accessibility::check(page, "with a new token").await;
        let secret = page.evaluate("return document.querySelector('.secret code').textContent").await;
        let secret = secret.as_str().unwrap();
        let viewer = visit.hub.graphql("{ viewer { role } }").by(secret).data().await;
        assert_eq!(viewer["viewer"]["role"], "ADMIN");
        page.reload().await;
        page.wait_for_text("Informe semanal").await;
        assert!(!page.has_text(secret).await, "the secret is not shown again");
        page.click("Revocar Informe semanal").await;
        page.click("Sí, revocar").await;
        page.wait_for_text("Revocado").await;
        assert_eq!(visit.hub.graphql("{ viewer { role } }").by(secret).code().await, "UNAUTHENTICATED");
    })
    .await;
}

#[tokio::test]
async fn an_admin_downloads_and_erases_the_data_of_a_person() {
    visit(async |visit| {
        visit.create_user("luz", Role::Student).await;
        visit.open_as(Role::Admin, "/es/admin/data-porter/account").await;
        let page = &visit.page;
        page.disabled_button("Descargar sus datos").await;
        page.disabled_button("Borrar sus datos").await;
        page.search_and_choose("Persona", "LU", "luz").await;
        page.click("Descargar sus datos").await;
        page.wait_for_text("Descarga iniciada: person_").await;
        let archive = visit.chromium.downloaded_bytes("zip").await;
        let archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
        assert_eq!(archive.len(), domain::Dataset::ALL.len() + 1);
        page.click("Borrar los datos de luz · luz@example.com").await;
        page.wait_for_text("No se puede deshacer: luz · luz@example.com").await;
        accessibility::check(page, "before the erasure").await;
        page.click("Cancelar").await;
        page.click("Borrar los datos de luz · luz@example.com").await;
        page.click("Sí, borrar").await;
        page.wait_for_text("Se borraron los datos de luz · luz@example.com.").await;
        page.disabled_button("Descargar sus datos").await;
        let erased = visit.hub.rows("SELECT name FROM users WHERE erased_at IS NOT NULL").await;
        assert!(erased[0]["name"].as_str().unwrap().starts_with("erased-"), "{erased}");
    })
    .await;
}

#[tokio::test]
async fn only_an_admin_sees_the_data_of_others() {
    visit(async |visit| {
        visit.open_as(Role::TeacherAdmin, "/es/admin/data-porter/account").await;
        visit.page.wait_for_text("No tienes tokens").await;
        assert!(!visit.page.has_text("Datos de una persona").await);
    })
    .await;
}

#[tokio::test]
async fn dates_follow_the_time_zone_of_the_account() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter/account").await;
        visit.page.fill("Zona horaria", "America/Bogota").await;
        visit.page.click("Guardar").await;
        visit.page.wait_for_text("Guardado.").await;
        visit.page.follow_link("Exportar").await;
        assert_eq!(visit.page.table_rows().await[0][0], "11 ene 2027, 05:00:00");
        visit.page.follow_link("Ajustes").await;
        visit.page.fill("Zona horaria", "Mars/Olympus").await;
        visit.page.click("Guardar").await;
        visit.page.wait_for_text("Corrige el campo y vuelve a intentarlo.").await;
    })
    .await;
}
