//! A GraphQL subscription over a WebSocket (graphql-transport-ws), with one connection per subscription.
//!
//! The browser does not report a lost network on a socket. The client therefore pings the server, and closes
//! the connection if there is no response.

use domain::Locale;
use futures_util::{SinkExt as _, StreamExt as _, future, stream};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use serde_json::{Value, json};

use super::Caller;
use super::failure::{Failure, parse_error};

/// How long the connection may be silent before a ping, in milliseconds.
const PING_INTERVAL_MS: u32 = 20_000;
/// How long the server may take to respond to a ping or to open the connection, in milliseconds.
const RESPONSE_TIMEOUT_MS: u32 = 10_000;
/// The server's close codes for an access token that is invalid, expired or no longer sufficient.
const TOKEN_REJECTED_CODES: [u16; 2] = [4401, 4403];

/// Why a subscription ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The server rejected the access token.
    TokenRejected,
    /// The connection could not be opened, or it was lost.
    Lost,
    /// The server sent an error.
    Failed(Failure),
}

/// Asks a subscription to ping the server at once.
pub type PingRequests = futures_channel::mpsc::UnboundedReceiver<()>;

/// Connects, subscribes to an operation given as JSON, and calls `on_response` with each response until the
/// subscription ends. Dropping the future closes the connection.
pub async fn subscribe(
    caller: Caller,
    operation: &str,
    ping_requests: PingRequests,
    on_response: impl Fn(&str),
) -> CloseReason {
    // Without a sender, it would end at once and again and again.
    let mut ping_requests = ping_requests.chain(stream::pending());
    let Caller { token, locale } = caller;
    let authorization = format!("Bearer {}", token.unwrap_or_default());
    let payload = json!({ "authorization": authorization, "accept-language": locale.tag() });
    let init = json!({ "type": "connection_init", "payload": payload });
    let Some(mut socket) = open() else { return CloseReason::Lost };
    let opening =
        future::select(socket.send(Message::Text(init.to_string())), TimeoutFuture::new(RESPONSE_TIMEOUT_MS));
    if !matches!(opening.await, future::Either::Left((Ok(()), _))) {
        return CloseReason::Lost;
    }
    let mut is_response_due = true;
    loop {
        let timeout = if is_response_due { RESPONSE_TIMEOUT_MS } else { PING_INTERVAL_MS };
        let ping = future::select(TimeoutFuture::new(timeout), ping_requests.next());
        let reply = match future::select(socket.next(), ping).await {
            future::Either::Left((message, _)) => {
                is_response_due = false;
                match handle(message, operation, locale, &on_response) {
                    Ok(reply) => reply,
                    Err(reason) => return reason,
                }
            }
            future::Either::Right((future::Either::Left(_), _)) if is_response_due => {
                return CloseReason::Lost;
            }
            future::Either::Right(_) => {
                is_response_due = true;
                Some(r#"{"type":"ping"}"#.to_owned())
            }
        };
        if let Some(reply) = reply
            && socket.send(Message::Text(reply)).await.is_err()
        {
            return CloseReason::Lost;
        }
    }
}

/// Handles a message from the server. Returns the reply, if there is one, or why the subscription ended.
fn handle(
    message: Option<Result<Message, WebSocketError>>,
    operation: &str,
    locale: Locale,
    on_response: impl Fn(&str),
) -> Result<Option<String>, CloseReason> {
    let text = match message {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Bytes(_))) => return Ok(None),
        Some(Err(WebSocketError::ConnectionClose(event))) if TOKEN_REJECTED_CODES.contains(&event.code) => {
            return Err(CloseReason::TokenRejected);
        }
        Some(Err(_)) | None => return Err(CloseReason::Lost),
    };
    let message: Value = serde_json::from_str(&text).unwrap_or_default();
    let payload = &message["payload"];
    match message["type"].as_str().unwrap_or_default() {
        "connection_ack" => {
            return Ok(Some(format!(r#"{{"id":"1","type":"subscribe","payload":{operation}}}"#)));
        }
        "next" => {
            let response = payload.to_string();
            match parse_error(200, &response, locale) {
                None => on_response(&response),
                failure => return Err(reason(failure)),
            }
        }
        "error" => {
            let response = json!({ "errors": payload }).to_string();
            return Err(reason(parse_error(200, &response, locale)));
        }
        "complete" => return Err(CloseReason::Lost),
        "ping" => return Ok(Some(r#"{"type":"pong"}"#.to_owned())),
        _ => {}
    }
    Ok(None)
}

fn reason(failure: Option<Failure>) -> CloseReason {
    match failure {
        Some(failure) if failure.is_unauthenticated() => CloseReason::TokenRejected,
        Some(failure) => CloseReason::Failed(failure),
        None => CloseReason::Lost,
    }
}

fn open() -> Option<WebSocket> {
    let origin = web_sys::window()?.location().origin().ok()?.replacen("http", "ws", 1);
    WebSocket::open_with_protocol(&format!("{origin}/graphql/ws"), "graphql-transport-ws").ok()
}
