//! Events that end an accepted subscription.

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::{Role, TokenScope};
use tokio::time::timeout;

use super::socket::Socket;
use super::{STATUS, SyncFixture};
use crate::harness::event_stream::Events;
use crate::harness::hub::TestUser;
use crate::sync::program::{server, terminate};

/// How a subscriber loses access.
#[derive(Clone, Copy, Debug)]
enum AccessLoss {
    TokenRevoked,
    UserDeactivated,
    Demoted,
    SessionExpired,
}

impl AccessLoss {
    async fn apply(self, fixture: &SyncFixture, user: &TestUser) {
        let id = user.id;
        match self {
            Self::TokenRevoked => {
                fixture
                    .hub
                    .sql(&format!("UPDATE api_tokens SET revoked_at = now() WHERE user_id = {id}"))
                    .await;
            }
            Self::UserDeactivated => {
                fixture.hub.sql(&format!("UPDATE users SET active = false WHERE id = {id}")).await;
            }
            Self::Demoted => {
                fixture.hub.sql(&format!("UPDATE users SET role = 'student' WHERE id = {id}")).await;
            }
            Self::SessionExpired => fixture.advance(TimeDelta::days(1)),
        }
    }
}

#[tokio::test]
async fn a_subscriber_who_loses_access_is_disconnected() {
    for (access_loss, code) in [
        (AccessLoss::TokenRevoked, 4401),
        (AccessLoss::UserDeactivated, 4401),
        (AccessLoss::Demoted, 4403),
        (AccessLoss::SessionExpired, 4401),
    ] {
        let fixture = SyncFixture::new().await;
        let user = fixture.hub.user_named("watching", Role::TeacherAdmin).await;
        let token = match access_loss {
            AccessLoss::TokenRevoked => fixture.hub.api_token(user.id, &[TokenScope::Read]).await,
            AccessLoss::UserDeactivated | AccessLoss::Demoted | AccessLoss::SessionExpired => {
                user.token.clone()
            }
        };
        let mut socket = Socket::open(&fixture.hub).await.admitted(&token).await;
        socket.subscribe("a", STATUS).await;
        socket.next("a").await;
        let mut events = Events::of(&fixture.hub, &token, STATUS).await;
        events.next().await;
        access_loss.apply(&fixture, &user).await;
        // Triggers an update, so that the test does not wait for the next periodic check.
        fixture.insert_events(5).await;
        assert_eq!(socket.closed().await, code, "{access_loss:?}");
        assert_eq!(events.event().await, Some(("complete".to_owned(), String::new())), "{access_loss:?}");
    }
}

#[tokio::test]
async fn a_server_that_shuts_down_ends_its_event_streams() {
    let fixture = SyncFixture::on_system_clock().await;
    let user = fixture.hub.user_named("watching", Role::TeacherAdmin).await;
    let token = fixture.hub.api_token(user.id, &[TokenScope::Read]).await;
    let (mut server, address) = server(&fixture).await;
    let mut events = Events::from_server(&fixture.hub, &address, &token, STATUS).await;
    events.next().await;
    terminate(&server);
    // The stream ends cleanly but without `complete`, so that clients reconnect.
    while let Some((name, data)) = events.event().await {
        assert_eq!(name, "next", "{data}");
    }
    // The server would abort unfinished requests after 20 seconds.
    let ended = timeout(Duration::from_secs(10), server.wait())
        .await
        .expect("the server does not wait for subscribers");
    assert!(ended.unwrap().success());
}
