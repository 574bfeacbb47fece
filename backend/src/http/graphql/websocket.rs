//! `GET /graphql/ws`: subscriptions over a WebSocket, by the protocol `graphql-transport-ws`.
//!
//! The token comes in `connection_init`, as `{"authorization": "Bearer …"}`, and the language beside it as
//! `accept-language`. No cookie counts, so a foreign page can
//! open a socket and gets nothing by it. Close codes, beside the protocol's own: 4401 where the token is not good, or
//! not any more; 4403 where it does not let its holder see the sync; 4408 where no `connection_init` came in time.

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

use super::live::{ASKED_ANEW, Access, CutOff, Subscriptions};
use crate::app::App;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

const PROTOCOL: &str = "graphql-transport-ws";

/// The most bytes of a message from a client.
const MOST_BYTES: usize = 64 << 10;

/// `connection_init` has to come by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the library closes a connection on which something is asked for before anybody was let in.
const TOO_EARLY: u16 = 1011;

/// A client that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(30);

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
        return refused("Accepted: a WebSocket.".to_owned());
    };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MOST_BYTES).max_frame_size(MOST_BYTES);
    if upgrade.selected_protocol().is_none() {
        return refused(format!("Accepted: the WebSocket protocol {PROTOCOL}."));
    }
    upgrade.on_upgrade(move |socket| converse(app, caller, socket))
}

/// No socket is opened.
fn refused(detail: String) -> Response {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, detail).into_response()
}

/// How a conversation ends.
struct Ending {
    code: u16,
    reason: &'static str,
}

impl From<CutOff> for Ending {
    fn from(cut_off: CutOff) -> Self {
        match cut_off {
            CutOff::Unauthenticated => Self { code: 4401, reason: "Unauthorized" },
            CutOff::Forbidden => Self { code: 4403, reason: "Forbidden" },
        }
    }
}

const NOBODY: Ending = Ending { code: 4401, reason: "Unauthorized" };
const TOO_LATE: Ending = Ending { code: 4408, reason: "Connection initialisation timeout" };

async fn converse(app: App, caller: Caller, socket: WebSocket) {
    let (mut out, incoming) = socket.split();
    let incoming = incoming.filter_map(async |message| match message {
        Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
        Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
        // What keeps the connection alive is answered by the library; a close ends the stream.
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) | Err(_) => None,
    });
    let incoming = incoming.boxed();
    let (admit, mut admitted) = tokio::sync::oneshot::channel();
    let subscriptions = Subscriptions::new(app.clone(), caller.locale, &caller.request_id);
    let messages = Protocol::new(subscriptions, incoming, WebSocketProtocols::GraphQLWS).on_connection_init(
        move |init| async move {
            let found = begin(&app, caller, &init).await;
            let (access, data) = match found {
                Ok((access, data)) => (Ok(access), Ok(data)),
                Err(cut_off) => (
                    Err(cut_off),
                    Err(async_graphql::Error { message: String::new(), source: None, extensions: None }),
                ),
            };
            // Nobody listens any more when the socket is gone.
            admit.send(access).ok();
            data
        },
    );
    let mut messages = std::pin::pin!(messages);
    let deadline = Instant::now() + PATIENCE;
    let access = loop {
        let message = timeout_at(deadline, messages.next()).await;
        match (message, admitted.try_recv()) {
            (Err(_), _) => return close(&mut out, TOO_LATE).await,
            (Ok(_), Ok(Err(cut_off))) => return close(&mut out, cut_off.into()).await,
            (Ok(None), _) => return,
            (Ok(Some(message)), Ok(Ok(access))) => {
                if !send(&mut out, message).await {
                    return;
                }
                break access;
            }
            // Whoever asks for something before they are let in; the library's own word for it is a failure of ours.
            (Ok(Some(WsMessage::Close(TOO_EARLY, _))), Err(_)) => return close(&mut out, NOBODY).await,
            // A ping is answered at any time.
            (Ok(Some(message)), Err(_)) => {
                if !send(&mut out, message).await {
                    return;
                }
            }
        }
    };
    let mut asking = interval(ASKED_ANEW);
    asking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = messages.next() => match message {
                Some(message) => Some(message),
                None => return,
            },
            _ = asking.tick() => None,
        };
        if let Err(cut_off) = access.ask().await {
            return close(&mut out, cut_off.into()).await;
        }
        if let Some(message) = message
            && !send(&mut out, message).await
        {
            return;
        }
    }
}

/// Lets somebody in by what they say first.
async fn begin(app: &App, mut caller: Caller, init: &Value) -> Result<(Access, Data), CutOff> {
    let said = ["authorization", "Authorization"].iter().find_map(|key| init.get(key)?.as_str());
    let (scheme, token) = said.and_then(|said| said.split_once(' ')).ok_or(CutOff::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(CutOff::Unauthenticated);
    }
    let (access, identity) = Access::admit(app.clone(), token.trim()).await?;
    caller.identity = Some(identity);
    // A page cannot set the header of that name on a WebSocket.
    let language = init.get("accept-language").and_then(Value::as_str);
    caller.locale = language.and_then(Locale::preferred).unwrap_or(caller.locale);
    Ok((access, caller.into_data(app)))
}

/// Says whether the client still takes anything.
async fn send(out: &mut SplitSink<WebSocket, Message>, message: WsMessage) -> bool {
    let (message, goes_on) = match message {
        WsMessage::Text(text) => (Message::text(text), true),
        WsMessage::Close(code, reason) => {
            (Message::Close(Some(CloseFrame { code, reason: reason.into() })), false)
        }
    };
    timeout(STUCK, out.send(message)).await.is_ok_and(|sent| sent.is_ok()) && goes_on
}

async fn close(out: &mut SplitSink<WebSocket, Message>, Ending { code, reason }: Ending) {
    send(out, WsMessage::Close(code, reason.to_owned())).await;
}
