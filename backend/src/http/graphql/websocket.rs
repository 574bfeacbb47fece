//! `GET /graphql/ws`: subscriptions over a WebSocket with the protocol `graphql-transport-ws`.
//!
//! The payload of `connection_init` has the token as `{"authorization": "Bearer …"}`, and optionally the
//! language as `accept-language`. Cookies are ignored, so a page of another site gains nothing by opening a
//! socket. Close codes in addition to the protocol's own: 4401 if the token is not or no longer valid, 4403
//! if its user may use no subscription, 4408 if `connection_init` did not arrive in time.

use std::time::Duration;

use async_graphql::Data;
use async_graphql::http::{WebSocket as Protocol, WebSocketProtocols, WsMessage};
use axum::extract::State;
use axum::extract::ws::{
    CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use domain::Locale;
use domain::failure::ErrorCode;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use super::subscription::{Access, AccessError, RECHECK_INTERVAL, Subscriptions};
use crate::app::App;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

const PROTOCOL: &str = "graphql-transport-ws";

/// The maximum size of a message from a client.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// How long to wait for `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The close code that the library uses when a client subscribes before `connection_init`.
const INTERNAL_ERROR: u16 = 1011;

/// How long sending a message may take before the client counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// The route.
pub fn route() -> MethodRouter<App> {
    get(upgrade)
}

async fn upgrade(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return refused("Only WebSocket connections are accepted here.".to_owned());
    };
    let upgrade =
        upgrade.protocols([PROTOCOL]).max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    if upgrade.selected_protocol().is_none() {
        return refused(format!("Unsupported WebSocket protocol. Accepted: {PROTOCOL}."));
    }
    upgrade.on_upgrade(move |socket| serve(app, caller, socket))
}

/// The response to a request that does not become a WebSocket.
fn refused(detail: String) -> Response {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, detail).into_response()
}

/// Why the server closes a connection.
struct CloseReason {
    code: u16,
    reason: &'static str,
}

impl From<AccessError> for CloseReason {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unauthenticated => Self { code: 4401, reason: "Unauthorized" },
            AccessError::Forbidden => Self { code: 4403, reason: "Forbidden" },
        }
    }
}

const UNAUTHORIZED: CloseReason = CloseReason { code: 4401, reason: "Unauthorized" };
const INIT_TIMED_OUT: CloseReason = CloseReason { code: 4408, reason: "Connection initialisation timeout" };

async fn serve(app: App, caller: Caller, socket: WebSocket) {
    let (mut out, incoming) = socket.split();
    let incoming = incoming.filter_map(async |message| match message {
        Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
        Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
        // The library replies to pings. A close ends the stream.
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) | Err(_) => None,
    });
    let incoming = incoming.boxed();
    let (access_sender, mut access_receiver) = tokio::sync::oneshot::channel();
    let subscriptions = Subscriptions::new(app.clone(), caller.locale, &caller.request_id);
    let messages = Protocol::new(subscriptions, incoming, WebSocketProtocols::GraphQLWS).on_connection_init(
        move |init| async move {
            let authenticated = authenticate(&app, caller, &init).await;
            let (access, data) = match authenticated {
                Ok((access, data)) => (Ok(access), Ok(data)),
                Err(error) => (
                    Err(error),
                    Err(async_graphql::Error { message: String::new(), source: None, extensions: None }),
                ),
            };
            // This fails if the socket is already closed.
            access_sender.send(access).ok();
            data
        },
    );
    let mut messages = std::pin::pin!(messages);
    let deadline = Instant::now() + INIT_TIMEOUT;
    let access = loop {
        let message = timeout_at(deadline, messages.next()).await;
        match (message, access_receiver.try_recv()) {
            (Err(_), _) => return close(&mut out, INIT_TIMED_OUT).await,
            (Ok(_), Ok(Err(error))) => return close(&mut out, error.into()).await,
            (Ok(None), _) => return,
            (Ok(Some(message)), Ok(Ok(access))) => {
                if !send(&mut out, message).await {
                    return;
                }
                break access;
            }
            // The client subscribed before `connection_init`. The library reports an internal error, but the
            // protocol requires 4401.
            (Ok(Some(WsMessage::Close(INTERNAL_ERROR, _))), Err(_)) => {
                return close(&mut out, UNAUTHORIZED).await;
            }
            // A pong, which the protocol allows at any time.
            (Ok(Some(message)), Err(_)) => {
                if !send(&mut out, message).await {
                    return;
                }
            }
        }
    };
    let mut recheck = interval(RECHECK_INTERVAL);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = messages.next() => match message {
                Some(message) => Some(message),
                None => return,
            },
            _ = recheck.tick() => None,
        };
        if let Err(error) = access.check().await {
            return close(&mut out, error.into()).await;
        }
        if let Some(message) = message
            && !send(&mut out, message).await
        {
            return;
        }
    }
}

/// Authenticates the client by the payload of `connection_init`.
async fn authenticate(app: &App, mut caller: Caller, init: &Value) -> Result<(Access, Data), AccessError> {
    let header = ["authorization", "Authorization"].iter().find_map(|key| init.get(key)?.as_str());
    let (scheme, token) =
        header.and_then(|header| header.split_once(' ')).ok_or(AccessError::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AccessError::Unauthenticated);
    }
    let (access, identity) = Access::authenticate(app.clone(), token.trim()).await?;
    caller.identity = Some(identity);
    // Browsers cannot set the `Accept-Language` header of a WebSocket request.
    let language = init.get("accept-language").and_then(Value::as_str);
    caller.locale = language.and_then(Locale::preferred).unwrap_or(caller.locale);
    Ok((access, caller.into_data(app)))
}

/// Sends a message; `false` if the connection is closed afterwards.
async fn send(out: &mut SplitSink<WebSocket, Message>, message: WsMessage) -> bool {
    let (message, stays_open) = match message {
        WsMessage::Text(text) => (Message::text(text), true),
        WsMessage::Close(code, reason) => {
            (Message::Close(Some(CloseFrame { code, reason: reason.into() })), false)
        }
    };
    timeout(SEND_TIMEOUT, out.send(message)).await.is_ok_and(|sent| sent.is_ok()) && stays_open
}

async fn close(out: &mut SplitSink<WebSocket, Message>, CloseReason { code, reason }: CloseReason) {
    send(out, WsMessage::Close(code, reason.to_owned())).await;
}
