//! A GraphQL subscription over a WebSocket (graphql-transport-ws), with one connection per subscription.
//!
//! The browser does not report a lost network on a socket. The client therefore pings the server, and closes
//! the connection if there is no response.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use js_sys::{Function, Promise};
use serde_json::{Value, json};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::Caller;
use super::failure::{Failure, parse_error};

/// The interval between pings and the timeout of a response, in milliseconds.
const PING_TIMINGS_MS: (u32, u32) = (20_000, 10_000);
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

/// A running subscription. Dropping it closes the connection.
pub struct Subscription {
    connection: Rc<Connection>,
    closed: Promise,
    _on_open: Closure<dyn Fn()>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _ping_interval: Interval,
}

/// The connection, shared by the event handlers.
struct Connection {
    socket: WebSocket,
    /// Resolves the promise that the socket's `close` event resolves too.
    close: Function,
    /// The number of messages received.
    received: Cell<u32>,
    /// The error that the server sent, if any.
    failure: RefCell<Option<Failure>>,
}

impl Subscription {
    /// Connects, subscribes to an operation given as JSON, and calls `on_response` with each response.
    pub fn start(caller: Caller, operation: String, on_response: impl Fn(&str) + 'static) -> Option<Self> {
        let origin = websocket_origin()?;
        let socket = WebSocket::new_with_str(&format!("{origin}/graphql/ws"), "graphql-transport-ws").ok()?;
        let mut close = None;
        let closed = Promise::new(&mut |resolve, _| {
            socket.set_onclose(Some(&resolve));
            close = Some(resolve);
        });
        let connection = Rc::new(Connection {
            socket,
            close: close?,
            received: Cell::default(),
            failure: RefCell::default(),
        });
        let Caller { token, locale } = caller;
        let on_open = {
            let connection = Rc::clone(&connection);
            let authorization = format!("Bearer {}", token.unwrap_or_default());
            let payload = json!({ "authorization": authorization, "accept-language": locale.tag() });
            let init = json!({ "type": "connection_init", "payload": payload }).to_string();
            Closure::<dyn Fn()>::new(move || connection.send(&init))
        };
        let on_message = {
            let connection = Rc::clone(&connection);
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let message = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
                let message: Value = message.unwrap_or_default();
                connection.received.set(connection.received.get().wrapping_add(1));
                let payload = &message["payload"];
                match message["type"].as_str().unwrap_or_default() {
                    "connection_ack" => {
                        connection.send(&format!(r#"{{"id":"1","type":"subscribe","payload":{operation}}}"#));
                    }
                    "next" => {
                        let response = payload.to_string();
                        match parse_error(200, &response, locale) {
                            None => on_response(&response),
                            failure => connection.close_with(failure),
                        }
                    }
                    "error" => connection.close_with(parse_error(
                        200,
                        &json!({ "errors": payload }).to_string(),
                        locale,
                    )),
                    "complete" => connection.close_with(None),
                    "ping" => connection.send(r#"{"type":"pong"}"#),
                    _ => {}
                }
            })
        };
        connection.socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        connection.socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // This also detects a connection that never opens.
        connection.ping();
        let ping_interval = {
            let connection = Rc::clone(&connection);
            Interval::new(PING_TIMINGS_MS.0, move || connection.ping())
        };
        Some(Self {
            connection,
            closed,
            _on_open: on_open,
            _on_message: on_message,
            _ping_interval: ping_interval,
        })
    }

    /// A function that pings the server at once.
    pub fn pinger(&self) -> impl Fn() + 'static {
        let connection = Rc::clone(&self.connection);
        move || connection.ping()
    }

    /// Waits until the subscription has ended.
    pub async fn closed(&self) -> CloseReason {
        let event = JsFuture::from(self.closed.clone()).await;
        let code = event.ok().and_then(|event| event.dyn_into().ok()).map(|event: CloseEvent| event.code());
        match self.connection.failure.take() {
            Some(failure) if failure.is_unauthenticated() => CloseReason::TokenRejected,
            Some(failure) => CloseReason::Failed(failure),
            None if code.is_some_and(|code| TOKEN_REJECTED_CODES.contains(&code)) => {
                CloseReason::TokenRejected
            }
            None => CloseReason::Lost,
        }
    }
}

impl Connection {
    fn send(&self, message: &str) {
        // A message that cannot be sent gets no response, which the timeout detects.
        drop(self.socket.send_with_str(message));
    }

    /// Pings the server, and closes the connection if no message arrives within the timeout.
    fn ping(self: &Rc<Self>) {
        if self.socket.ready_state() == WebSocket::OPEN {
            self.send(r#"{"type":"ping"}"#);
        }
        let (connection, received_before) = (Rc::clone(self), self.received.get());
        let deadline = Timeout::new(PING_TIMINGS_MS.1, move || {
            if connection.received.get() == received_before {
                connection.close_with(None);
            }
        });
        deadline.forget();
    }

    fn close_with(&self, failure: Option<Failure>) {
        self.failure.replace(failure);
        // It only resolves a promise, and a second call has no effect.
        drop(self.close.call0(&JsValue::UNDEFINED));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let socket = &self.connection.socket;
        socket.set_onopen(None);
        socket.set_onmessage(None);
        // Closing a closed socket has no effect.
        drop(socket.close());
    }
}

/// The WebSocket origin: the page's origin with the scheme `ws` or `wss`.
fn websocket_origin() -> Option<String> {
    Some(web_sys::window()?.location().origin().ok()?.replacen("http", "ws", 1))
}
