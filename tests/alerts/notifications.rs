//! Notifications in the GraphQL API.

use domain::access::{Role, TokenScope};
use serde_json::{Value, json};

use super::AlertFixture;
use crate::harness::hub::TestUser;

const LIST: &str = "{ notifications { id kind title body createdAt readAt } }";
const MARK: &str = "mutation ($id: ID!) { markNotificationRead(id: $id) { id readAt } }";

async fn list(fixture: &AlertFixture, user: &TestUser) -> Vec<Value> {
    let list = fixture.hub.graphql(LIST).by(&user.token).data().await;
    list["notifications"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_viewer_gets_their_own_notifications_newest_first() {
    let fixture = AlertFixture::start().await;
    let (ana, teo) = (fixture.hub.user(Role::Admin).await, fixture.hub.user(Role::TeacherAdmin).await);
    let student = fixture.hub.user(Role::Student).await;
    fixture.raise_alarm().await;
    fixture.mark_all_synced().await;
    fixture.advance_minutes(5);
    fixture.check().await;
    let listed = list(&fixture, &ana).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["title"], "Fin de la alarma: la sincronización está al día");
    let expected = json!({
        "id": listed[1]["id"],
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
    assert_eq!(listed[1], expected);
    let english = fixture.hub.graphql(LIST).by(&ana.token).header("accept-language", "en").data().await;
    assert_eq!(english["notifications"][1]["title"], "Alarm: pending events: 10");
    let theirs = list(&fixture, &teo).await;
    assert!(
        theirs.len() == 2 && theirs.iter().all(|other| listed.iter().all(|own| own["id"] != other["id"]))
    );
    assert_eq!(list(&fixture, &student).await, Vec::<Value>::new());
}

#[tokio::test]
async fn notifications_can_be_marked_as_read() {
    let fixture = AlertFixture::start().await;
    let (mut ana, mut teo) =
        (fixture.hub.user(Role::Admin).await, fixture.hub.user(Role::TeacherAdmin).await);
    fixture.raise_alarm().await;
    fixture.advance_minutes(60);
    fixture.check().await;
    for user in [&mut ana, &mut teo] {
        user.token = fixture.hub.sign_in(user.id).await;
    }
    let id = list(&fixture, &ana).await[0]["id"].clone();
    let mark = |user: &TestUser| fixture.hub.graphql(MARK).by(&user.token).variables(json!({ "id": id }));
    assert_eq!(mark(&teo).code().await, "NOT_FOUND", "the notification belongs to another user");
    let read = json!({"markNotificationRead": {"id": id, "readAt": "2027-01-15T09:00:00+00:00"}});
    assert_eq!(mark(&ana).data().await, read);
    fixture.advance_minutes(5);
    assert_eq!(mark(&ana).data().await, read, "the time of the first reading stays");

    let unread = "{ notifications(unreadOnly: true) { id } all: notifications(first: 1) { id } }";
    let unread = fixture.hub.graphql(unread).by(&ana.token).data().await;
    assert_eq!(unread["notifications"].as_array().unwrap().len(), 1);
    assert_ne!(unread["notifications"][0]["id"], id);
    assert_eq!(unread["all"], json!([{ "id": id }]), "the newest notification, read or not");
}

#[tokio::test]
async fn reading_notifications_requires_the_scope_read() {
    let fixture = AlertFixture::start().await;
    let ana = fixture.hub.user(Role::Admin).await;
    fixture.raise_alarm().await;
    let reader = fixture.hub.api_token(ana.id, &[TokenScope::Read]).await;
    let listed = fixture.hub.graphql(LIST).by(&reader).data().await;
    assert_eq!(listed["notifications"].as_array().unwrap().len(), 1);
    let recorder = fixture.hub.api_token(ana.id, &[TokenScope::Record]).await;
    for token in [recorder, fixture.hub.player_token(ana.id)] {
        assert_eq!(fixture.hub.graphql(LIST).by(&token).code().await, "FORBIDDEN");
    }
    assert_eq!(fixture.hub.graphql(LIST).code().await, "UNAUTHENTICATED");
    let too_many = "{ notifications(first: 501) { id } }";
    assert_eq!(fixture.hub.graphql(too_many).by(&ana.token).code().await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_notification_of_an_unknown_kind_is_listed() {
    let fixture = AlertFixture::start().await;
    let ana = fixture.hub.user(Role::Admin).await;
    fixture.hub.sql("INSERT INTO notifications (user_id, kind) SELECT id, 'of_next_year' FROM users").await;
    let listed = list(&fixture, &ana).await;
    assert_eq!(
        (&listed[0]["kind"], &listed[0]["title"]),
        (&"of_next_year".into(), &"Un aviso del hub".into())
    );
}
