//! A notice about a lost connection: the age of the data on the page, and a button to reconnect at once.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::failure::Failure;
use crate::i18n::explain::{Explanation, explain};
use crate::i18n::use_i18n;
use crate::live::ConnectionState;
use crate::ui::button::{ActionButton, Variant};
use crate::ui::notice::{Notice, Tone};

/// The notice. Shows nothing while connected.
#[component]
pub fn ConnectionNote() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let state = Memo::new(move |_| feed.live.state());
    let is_disconnected = Memo::new(move |_| matches!(state.get(), ConnectionState::Disconnected(_)));
    let notice = move || {
        let texts = &i18n.messages().sync;
        let Explanation { message, help } = match state.get() {
            ConnectionState::Connecting | ConnectionState::Connected => return None,
            ConnectionState::Disconnected(Failure::Unreachable) => Explanation {
                message: texts.connection_lost.to_owned(),
                help: texts.connection_lost_help.to_owned(),
            },
            ConnectionState::Disconnected(failure) => explain(&failure, i18n.locale()),
        };
        Some(view! { <Notice tone=Tone::Warn help=help>{message}</Notice> })
    };
    let last_update = move || {
        let ago = feed.time_format().ago(feed.age());
        feed.status(|_| (i18n.messages().sync.stale_since)(&ago))
    };
    view! {
        {notice}
        <Show when=move || is_disconnected.get()>
            <div class="bar">
                <span class="muted">{last_update}</span>
                <ActionButton variant=Variant::Small on_press=move |()| feed.live.check_now()>
                    {move || i18n.messages().sync.try_now}
                </ActionButton>
            </div>
        </Show>
    }
}
