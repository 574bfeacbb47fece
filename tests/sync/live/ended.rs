//! What ends a subscription that was granted.

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::{Role, TokenScope};
use tokio::time::timeout;

use super::socket::Socket;
use super::sse::Events;
use super::{Ground, STATUS};
use crate::harness::hub::TestUser;
use crate::sync::program::{server, terminate};

/// What happens to somebody who watches.
#[derive(Clone, Copy, Debug)]
enum Loss {
    TokenRevoked,
    UserDeactivated,
    Demoted,
    SessionExpired,
}

impl Loss {
    async fn befall(self, ground: &Ground, user: &TestUser) {
        let id = user.id;
        match self {
            Self::TokenRevoked => {
                ground
                    .hub
                    .sql(&format!("UPDATE api_tokens SET revoked_at = now() WHERE user_id = {id}"))
                    .await;
            }
            Self::UserDeactivated => {
                ground.hub.sql(&format!("UPDATE users SET active = false WHERE id = {id}")).await;
            }
            Self::Demoted => {
                ground.hub.sql(&format!("UPDATE users SET role = 'student' WHERE id = {id}")).await;
            }
            Self::SessionExpired => ground.advance(TimeDelta::days(1)),
        }
    }
}

#[tokio::test]
async fn whoever_loses_the_right_to_watch_is_told_nothing_more() {
    for (loss, code) in [
        (Loss::TokenRevoked, 4401),
        (Loss::UserDeactivated, 4401),
        (Loss::Demoted, 4403),
        (Loss::SessionExpired, 4401),
    ] {
        let ground = Ground::new().await;
        let user = ground.hub.user_named("watching", Role::TeacherAdmin).await;
        let token = match loss {
            Loss::TokenRevoked => ground.hub.api_token(user.id, &[TokenScope::Read]).await,
            Loss::UserDeactivated | Loss::Demoted | Loss::SessionExpired => user.token.clone(),
        };
        let mut socket = Socket::open(&ground.hub).await.admitted(&token).await;
        socket.subscribe("a", STATUS).await;
        socket.next("a").await;
        let mut events = Events::of(&ground.hub, &token, STATUS).await;
        events.next().await;
        loss.befall(&ground, &user).await;
        // There is something new to be told, so that they need not be asked for it at some time or other.
        ground.events(5).await;
        assert_eq!(socket.closed().await, code, "{loss:?}");
        assert_eq!(events.event().await, Some(("complete".to_owned(), String::new())), "{loss:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_end_ends_its_streams_and_does_not_wait_for_whoever_watches() {
    let ground = Ground::today().await;
    let user = ground.hub.user_named("watching", Role::TeacherAdmin).await;
    let token = ground.hub.api_token(user.id, &[TokenScope::Read]).await;
    let (mut server, address) = server(&ground).await;
    let mut events = Events::from_server(&ground.hub, &address, &token, STATUS).await;
    events.next().await;
    terminate(&server);
    // The stream comes to its end in good order, and not to that of what was asked for: whoever watches comes again.
    while let Some((name, told)) = events.event().await {
        assert_eq!(name, "next", "{told}");
    }
    // Requests that go on would be cut off after twice that.
    let ended = timeout(Duration::from_secs(10), server.wait()).await.expect("it waits for nobody");
    assert!(ended.unwrap().success());
}
