//! Signing in and signing out.

use domain::Role;

use super::visit::{PASSWORD, visit};

const HUB: &str = "/es/admin/data-porter";

#[tokio::test]
async fn a_user_signs_in_stays_signed_in_and_signs_out() {
    visit(async |visit| {
        visit.open_as(Role::Admin, HUB).await;
        visit.page.reload().await;
        visit.page.click("Cerrar sesión").await;
        visit.page.wait_for_text("Has cerrado la sesión.").await;
        visit.page.reload().await;
        visit.page.button("Entrar").await;
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_are_reported_without_saying_which() {
    visit(async |visit| {
        visit.create_user("ana", Role::Admin).await;
        visit.page.open(HUB).await;
        visit.sign_in("ana", "not the password").await;
        visit.page.wait_for_text("El correo o la contraseña no son correctos.").await;
        visit.sign_in("nobody", PASSWORD).await;
        visit.page.wait_for_text("El correo o la contraseña no son correctos.").await;
        visit.sign_in("ana", PASSWORD).await;
        visit.page.button("Cerrar sesión").await;
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_asks_to_sign_in_and_resumes_the_page() {
    visit(async |visit| {
        visit.open_as(Role::Admin, HUB).await;
        visit.page.click("Prácticas Discord").await;
        visit.page.wait_for_text("Ninguna fila coincide con estos filtros").await;
        visit.hub.sql("DELETE FROM sessions").await;
        visit.page.click("Pedidos de packs").await;
        visit.page.wait_for_text("Tu sesión ha caducado. Inicia sesión para continuar.").await;
        visit.sign_in("admin", PASSWORD).await;
        visit.page.wait_for_address(&format!("{HUB}?dataset=practice_package_orders")).await;
        visit.page.wait_for_text("Ninguna fila coincide con estos filtros").await;
    })
    .await;
}
