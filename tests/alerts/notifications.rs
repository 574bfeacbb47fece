//! Notifications in GraphQL.

use domain::access::{Role, TokenScope};
use serde_json::{Value, json};

use super::Watch;
use crate::harness::hub::TestUser;

const LIST: &str = "{ notifications { id kind title body createdAt readAt } }";
const MARK: &str = "mutation ($id: ID!) { markNotificationRead(id: $id) { id readAt } }";

async fn list(watch: &Watch, user: &TestUser) -> Vec<Value> {
    let list = watch.hub.graphql(LIST).by(&user.token).data().await;
    list["notifications"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_viewer_reads_their_own_newest_first_in_their_language() {
    let watch = Watch::start().await;
    let (ana, teo) = (watch.hub.user(Role::Admin).await, watch.hub.user(Role::TeacherAdmin).await);
    let student = watch.hub.user(Role::Student).await;
    watch.alarm().await;
    watch.synced().await;
    watch.pass(5);
    watch.look().await;
    let told = list(&watch, &ana).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["title"], "Fin de la alarma: la sincronización está al día");
    let expected = json!({
        "id": told[1]["id"],
        "kind": "telemetry_backlog",
        "title": "Alarma: eventos pendientes de sincronizar: 10",
        "body": "Eventos del reproductor pendientes el 2027-01-15 08:00 (UTC): 10. \
            El más antiguo llegó el 2027-01-15 07:55 (UTC) (hace 5 min).\n\n\
            La alarma salta a partir de 10 eventos (TELEMETRY_ALERT_THRESHOLD) o cuando uno espera 180 minutos \
            (TELEMETRY_ALERT_AGE_MINUTES).\n\nQué hacer: abre el Hub, ejecuta la sincronización y mira si alguno de \
            los servicios de analítica falla.",
        "createdAt": "2027-01-15T08:00:00+00:00",
        "readAt": null,
    });
    assert_eq!(told[1], expected);
    let english = watch.hub.graphql(LIST).by(&ana.token).header("accept-language", "en").data().await;
    assert_eq!(english["notifications"][1]["title"], "Alarm: events waiting for the sync: 10");
    let theirs = list(&watch, &teo).await;
    assert!(theirs.len() == 2 && theirs.iter().all(|other| told.iter().all(|own| own["id"] != other["id"])));
    assert_eq!(list(&watch, &student).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_was_read_is_told_apart_from_what_was_not() {
    let watch = Watch::start().await;
    let (mut ana, mut teo) = (watch.hub.user(Role::Admin).await, watch.hub.user(Role::TeacherAdmin).await);
    watch.alarm().await;
    watch.pass(60);
    watch.look().await;
    for user in [&mut ana, &mut teo] {
        user.token = watch.hub.sign_in(user.id).await;
    }
    let id = list(&watch, &ana).await[0]["id"].clone();
    let mark = |user: &TestUser| watch.hub.graphql(MARK).by(&user.token).variables(json!({ "id": id }));
    assert_eq!(mark(&teo).code().await, "NOT_FOUND", "it is somebody else's");
    let read = json!({"markNotificationRead": {"id": id, "readAt": "2027-01-15T09:00:00+00:00"}});
    assert_eq!(mark(&ana).data().await, read);
    watch.pass(5);
    assert_eq!(mark(&ana).data().await, read, "it was read when it was read first");

    let unread = "{ notifications(unreadOnly: true) { id } all: notifications(first: 1) { id } }";
    let unread = watch.hub.graphql(unread).by(&ana.token).data().await;
    assert_eq!(unread["notifications"].as_array().unwrap().len(), 1);
    assert_ne!(unread["notifications"][0]["id"], id);
    assert_eq!(unread["all"], json!([{ "id": id }]), "the newest, read or not");
}

#[tokio::test]
async fn tokens_reach_as_far_as_they_may() {
    let watch = Watch::start().await;
    let ana = watch.hub.user(Role::Admin).await;
    watch.alarm().await;
    let reader = watch.hub.api_token(ana.id, &[TokenScope::Read]).await;
    let told = watch.hub.graphql(LIST).by(&reader).data().await;
    assert_eq!(told["notifications"].as_array().unwrap().len(), 1);
    let recorder = watch.hub.api_token(ana.id, &[TokenScope::Record]).await;
    for token in [recorder, watch.hub.player_token(ana.id)] {
        assert_eq!(watch.hub.graphql(LIST).by(&token).code().await, "FORBIDDEN");
    }
    assert_eq!(watch.hub.graphql(LIST).code().await, "UNAUTHENTICATED");
    let many = "{ notifications(first: 501) { id } }";
    assert_eq!(watch.hub.graphql(many).by(&ana.token).code().await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_notice_of_a_newer_version_is_listed_all_the_same() {
    let watch = Watch::start().await;
    let ana = watch.hub.user(Role::Admin).await;
    watch.hub.sql("INSERT INTO notifications (user_id, kind) SELECT id, 'of_next_year' FROM users").await;
    let told = list(&watch, &ana).await;
    assert_eq!((&told[0]["kind"], &told[0]["title"]), (&"of_next_year".into(), &"Un aviso del hub".into()));
}
