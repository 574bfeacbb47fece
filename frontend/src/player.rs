//! Bindings to `player/dataporter-player.js`: loading it, attaching it to a video, and detaching it.

use js_sys::{Function, Object, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::HtmlVideoElement;

use crate::browser;

/// The script's path on the server.
const SCRIPT: &str = "/player/dataporter-player.js";
/// The path that the script sends events to.
const ENDPOINT: &str = "/api/video/progress";

/// The state of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    /// Not sent yet.
    Waiting,
    /// Sending failed, and will be retried.
    Retrying,
    /// Recorded by the hub.
    Recorded,
    /// Rejected by the hub for good.
    Rejected,
}

impl EventState {
    /// Whether the event is still to be recorded.
    pub fn is_pending(self) -> bool {
        match self {
            Self::Waiting | Self::Retrying => true,
            Self::Recorded | Self::Rejected => false,
        }
    }
}

/// A change of an event's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventUpdate {
    /// The event's client-generated id.
    pub id: String,
    /// The event's name, such as `play`.
    pub event: String,
    /// Position in the video, in seconds.
    pub seconds: u32,
    pub state: EventState,
}

/// The script, attached to a video. Dropping it detaches the script, which then tries to send the remaining
/// events.
pub struct AttachedPlayer {
    detach: Function,
    callbacks: Option<Callbacks>,
}

/// The script's callbacks: `getToken` and `onState`.
type Callbacks = (Closure<dyn FnMut() -> Promise>, Closure<dyn FnMut(JsValue, String)>);

impl AttachedPlayer {
    /// Attaches the script, so that it reports the video's events for a lesson. `None` if its API is not as
    /// expected.
    pub fn new<F: Future<Output = Option<String>> + 'static>(
        video: &HtmlVideoElement,
        lesson_id: &str,
        mut token: impl FnMut() -> F + 'static,
        mut on_update: impl FnMut(EventUpdate) + 'static,
    ) -> Option<Self> {
        let get_token = Closure::new(move || {
            let token = token();
            future_to_promise(async move { token.await.map(JsValue::from).ok_or(JsValue::NULL) })
        });
        let on_state = Closure::new(move |event: JsValue, state: String| {
            if let Some(update) = parse_update(&event, &state) {
                on_update(update);
            }
        });
        let options = Object::new();
        for (name, value) in [
            ("endpoint", &ENDPOINT.into()),
            ("lessonId", &lesson_id.into()),
            ("provider", &"cloudflare".into()),
            ("contextTag", &"player-demo".into()),
            ("getToken", get_token.as_ref()),
            ("onState", on_state.as_ref()),
        ] {
            Reflect::set(&options, &name.into(), value).ok()?;
        }
        let player = Reflect::get(&js_sys::global(), &"DataPorterPlayer".into()).ok()?;
        let attach: Function = property(&player, "attach")?;
        let handle = attach.call2(&player, video, &options).ok()?;
        Some(Self { detach: property(&handle, "detach")?, callbacks: Some((get_token, on_state)) })
    }
}

impl Drop for AttachedPlayer {
    fn drop(&mut self) {
        let callbacks = self.callbacks.take();
        let Ok(detached) = self.detach.call0(&JsValue::UNDEFINED) else { return };
        spawn_local(async move {
            // Until it has detached, the script may call the callbacks. Its result does not matter.
            drop(JsFuture::from(Promise::resolve(&detached)).await);
            drop(callbacks);
        });
    }
}

/// Loads the script, if it is not loaded. Returns false if it cannot be loaded.
pub async fn load() -> bool {
    Reflect::has(&js_sys::global(), &"DataPorterPlayer".into()) == Ok(true)
        || browser::load_script(SCRIPT).await
}

fn property<T: JsCast>(of: &JsValue, name: &str) -> Option<T> {
    Reflect::get(of, &name.into()).ok()?.dyn_into().ok()
}

fn parse_update(event: &JsValue, state: &str) -> Option<EventUpdate> {
    let text = |name: &str| Reflect::get(event, &name.into()).ok()?.as_string();
    let seconds = Reflect::get(event, &"playbackSeconds".into()).ok()?.as_f64()?;
    let state = match state {
        "waiting" => EventState::Waiting,
        "again" => EventState::Retrying,
        "recorded" => EventState::Recorded,
        _ => EventState::Rejected,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds of a video")]
    let seconds = seconds as u32;
    Some(EventUpdate { id: text("clientEventId")?, event: text("event")?, seconds, state })
}
