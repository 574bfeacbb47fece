//! Signing in and out.

use domain::Role;

use super::visit::{PASSWORD, visit};

const HUB: &str = "/es/admin/data-porter";

#[tokio::test]
async fn a_person_signs_in_stays_signed_in_and_signs_out() {
    visit(async |visit| {
        visit.arrive(Role::Admin, HUB).await;
        visit.page.reload().await;
        visit.page.click("Cerrar sesión").await;
        visit.page.read("Has cerrado la sesión.").await;
        visit.page.reload().await;
        visit.page.button("Entrar").await;
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_are_told_beside_the_form_without_saying_which() {
    visit(async |visit| {
        visit.person("ana", Role::Admin).await;
        visit.page.open(HUB).await;
        visit.sign_in("ana", "not the password").await;
        visit.page.read("El correo o la contraseña no son correctos.").await;
        visit.sign_in("nobody", PASSWORD).await;
        visit.page.read("El correo o la contraseña no son correctos.").await;
        visit.sign_in("ana", PASSWORD).await;
        visit.page.button("Cerrar sesión").await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_asks_to_sign_in_and_goes_on_where_it_was() {
    visit(async |visit| {
        visit.arrive(Role::Admin, HUB).await;
        visit.page.click("Prácticas Discord").await;
        visit.page.read("Ninguna fila pasa estos filtros").await;
        visit.hub.sql("DELETE FROM sessions").await;
        visit.page.click("Pedidos de packs").await;
        visit.page.read("Tu sesión terminó. Inicia sesión para seguir donde estabas.").await;
        visit.sign_in("admin", PASSWORD).await;
        visit.page.wait_for_address(&format!("{HUB}?dataset=practice_package_orders")).await;
        visit.page.read("Ninguna fila pasa estos filtros").await;
    })
    .await;
}
