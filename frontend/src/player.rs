//! `player/dataporter-player.js` as the app uses it: loaded when a page needs it, attached to a video, detached again.

use js_sys::{Function, Object, Promise, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::HtmlVideoElement;

use crate::browser;

/// Where the server has it.
const SCRIPT: &str = "/player/dataporter-player.js";
/// Where it reports to.
const ENDPOINT: &str = "/api/video/progress";

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits to be sent.
    Waiting,
    /// It was sent in vain, and will be again.
    Again,
    /// The hub has it.
    Recorded,
    /// The hub will never take it.
    Rejected,
}

impl State {
    /// Whether the hub may still get it.
    pub fn is_owed(self) -> bool {
        match self {
            Self::Waiting | Self::Again => true,
            Self::Recorded | Self::Rejected => false,
        }
    }
}

/// News of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The event's own id.
    pub id: String,
    /// What happened.
    pub event: String,
    /// Position in the video, in seconds.
    pub seconds: u32,
    /// What became of it.
    pub state: State,
}

/// A video whose events are reported. Dropping it ends that, once what is buffered has been tried.
pub struct Attachment {
    detach: Function,
    callbacks: Option<Callbacks>,
}

/// What the script calls: for a token, and with an event and its state.
type Callbacks = (Closure<dyn FnMut() -> Promise>, Closure<dyn FnMut(JsValue, String)>);

impl Attachment {
    /// Reports what the video plays as a lesson's; nothing where the script is not what it should be.
    pub fn new<F: Future<Output = Option<String>> + 'static>(
        video: &HtmlVideoElement,
        lesson_id: &str,
        mut token: impl FnMut() -> F + 'static,
        mut on_news: impl FnMut(News) + 'static,
    ) -> Option<Self> {
        let get_token = Closure::new(move || {
            let token = token();
            future_to_promise(async move { token.await.map(JsValue::from).ok_or(JsValue::NULL) })
        });
        let on_state = Closure::new(move |event: JsValue, state: String| {
            if let Some(news) = read(&event, &state) {
                on_news(news);
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
        let attach: Function = member(&player, "attach")?;
        let handle = attach.call2(&player, video, &options).ok()?;
        Some(Self { detach: member(&handle, "detach")?, callbacks: Some((get_token, on_state)) })
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let callbacks = self.callbacks.take();
        let Ok(tried) = self.detach.call0(&JsValue::UNDEFINED) else { return };
        spawn_local(async move {
            // Until then the script may ask for a token and tell news; what became of it then is nobody's concern.
            drop(JsFuture::from(Promise::resolve(&tried)).await);
            drop(callbacks);
        });
    }
}

/// Has the script ready; false where it cannot be loaded.
pub async fn load() -> bool {
    Reflect::has(&js_sys::global(), &"DataPorterPlayer".into()) == Ok(true)
        || browser::load_script(SCRIPT).await
}

fn member<T: JsCast>(of: &JsValue, name: &str) -> Option<T> {
    Reflect::get(of, &name.into()).ok()?.dyn_into().ok()
}

fn read(event: &JsValue, state: &str) -> Option<News> {
    let text = |name: &str| Reflect::get(event, &name.into()).ok()?.as_string();
    let seconds = Reflect::get(event, &"playbackSeconds".into()).ok()?.as_f64()?;
    let state = match state {
        "waiting" => State::Waiting,
        "again" => State::Again,
        "recorded" => State::Recorded,
        _ => State::Rejected,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds of a video")]
    let seconds = seconds as u32;
    Some(News { id: text("clientEventId")?, event: text("event")?, seconds, state })
}
