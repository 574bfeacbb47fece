//! A conversation over a WebSocket (graphql-transport-ws): one subscription, until either side or the network ends it.
//!
//! A network that is gone does not say so: whoever is silent when asked for a sign of life is taken for gone.

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
use super::failure::{Failure, refusal};

/// How often the server is asked for a sign of life, and how long it may take, in milliseconds.
const PULSE: (u32, u32) = (20_000, 10_000);
/// The codes with which the server closes for somebody whose token is over, or no longer enough.
const TOKEN_REFUSED: [u16; 2] = [4401, 4403];

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server does not, or no longer, take the access token.
    TokenRefused,
    /// The connection did not come about, or broke.
    Lost,
    /// The server said why it does not go on.
    Failed(Failure),
}

/// A conversation that is going on. Dropping it ends it.
pub struct Conversation {
    line: Rc<Line>,
    ended: Promise,
    _on_open: Closure<dyn Fn()>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _pulse: Interval,
}

/// The connection, for whoever has something to say or to hear.
struct Line {
    socket: WebSocket,
    /// Ends the conversation, as the closing of the socket does.
    hang_up: Function,
    /// How many messages have come.
    heard: Cell<u32>,
    /// What the server said against going on.
    failure: RefCell<Option<Failure>>,
}

impl Conversation {
    /// Calls the server, subscribes to an operation, given as JSON, and hands on each of its answers.
    pub fn begin(caller: Caller, operation: String, on_answer: impl Fn(&str) + 'static) -> Option<Self> {
        let origin = sockets_origin()?;
        let socket = WebSocket::new_with_str(&format!("{origin}/graphql/ws"), "graphql-transport-ws").ok()?;
        let mut hang_up = None;
        let ended = Promise::new(&mut |resolve, _| {
            socket.set_onclose(Some(&resolve));
            hang_up = Some(resolve);
        });
        let line =
            Rc::new(Line { socket, hang_up: hang_up?, heard: Cell::default(), failure: RefCell::default() });
        let Caller { token, locale } = caller;
        let on_open = {
            let line = Rc::clone(&line);
            let authorization = format!("Bearer {}", token.unwrap_or_default());
            let payload = json!({ "authorization": authorization, "accept-language": locale.tag() });
            let init = json!({ "type": "connection_init", "payload": payload }).to_string();
            Closure::<dyn Fn()>::new(move || line.say(&init))
        };
        let on_message = {
            let line = Rc::clone(&line);
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let message = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
                let message: Value = message.unwrap_or_default();
                line.heard.set(line.heard.get().wrapping_add(1));
                let payload = &message["payload"];
                match message["type"].as_str().unwrap_or_default() {
                    "connection_ack" => {
                        line.say(&format!(r#"{{"id":"1","type":"subscribe","payload":{operation}}}"#));
                    }
                    "next" => {
                        let answer = payload.to_string();
                        match refusal(200, &answer, locale) {
                            None => on_answer(&answer),
                            failure => line.end(failure),
                        }
                    }
                    "error" => line.end(refusal(200, &json!({ "errors": payload }).to_string(), locale)),
                    "complete" => line.end(None),
                    "ping" => line.say(r#"{"type":"pong"}"#),
                    _ => {}
                }
            })
        };
        line.socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        line.socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // A server that never takes the call is as silent as one that is gone.
        line.check();
        let pulse = {
            let line = Rc::clone(&line);
            Interval::new(PULSE.0, move || line.check())
        };
        Some(Self { line, ended, _on_open: on_open, _on_message: on_message, _pulse: pulse })
    }

    /// What asks for a sign of life at once.
    pub fn checker(&self) -> impl Fn() + 'static {
        let line = Rc::clone(&self.line);
        move || line.check()
    }

    /// Waits until it has ended.
    pub async fn ended(&self) -> Ending {
        let closed = JsFuture::from(self.ended.clone()).await;
        let code = closed.ok().and_then(|event| event.dyn_into().ok()).map(|event: CloseEvent| event.code());
        match self.line.failure.take() {
            Some(failure) if failure.is_unauthenticated() => Ending::TokenRefused,
            Some(failure) => Ending::Failed(failure),
            None if code.is_some_and(|code| TOKEN_REFUSED.contains(&code)) => Ending::TokenRefused,
            None => Ending::Lost,
        }
    }
}

impl Line {
    fn say(&self, message: &str) {
        // What cannot be sent is not answered, and that is found out.
        drop(self.socket.send_with_str(message));
    }

    /// Asks for a sign of life, and hangs up when none comes in time.
    fn check(self: &Rc<Self>) {
        if self.socket.ready_state() == WebSocket::OPEN {
            self.say(r#"{"type":"ping"}"#);
        }
        let (line, before) = (Rc::clone(self), self.heard.get());
        let deadline = Timeout::new(PULSE.1, move || {
            if line.heard.get() == before {
                line.end(None);
            }
        });
        deadline.forget();
    }

    fn end(&self, failure: Option<Failure>) {
        self.failure.replace(failure);
        // It only settles a promise, which a second call leaves as it is.
        drop(self.hang_up.call0(&JsValue::UNDEFINED));
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let socket = &self.line.socket;
        socket.set_onopen(None);
        socket.set_onmessage(None);
        // A socket that is closed already stays so.
        drop(socket.close());
    }
}

/// Where the server's sockets are: the page's own origin under another scheme.
fn sockets_origin() -> Option<String> {
    Some(web_sys::window()?.location().origin().ok()?.replacen("http", "ws", 1))
}
