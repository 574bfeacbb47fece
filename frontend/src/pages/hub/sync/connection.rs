//! Says that the connection was lost, what is shown meanwhile, and lets one try again at once.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::failure::Failure;
use crate::i18n::explain::{Explained, explain};
use crate::i18n::use_i18n;
use crate::live::Link;
use crate::ui::button::{ActionButton, Look};
use crate::ui::notice::{Notice, Tone};

/// The note; nothing while changes come as they happen.
#[component]
pub fn ConnectionNote() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let link = Memo::new(move |_| feed.live.link());
    let is_lost = Memo::new(move |_| matches!(link.get(), Link::Lost(_)));
    let said = move || {
        let words = &i18n.messages().sync;
        let Explained { what, help } = match link.get() {
            Link::Opening | Link::Up => return None,
            Link::Lost(Failure::Unreachable) => {
                Explained { what: words.lost.to_owned(), help: words.lost_help.to_owned() }
            }
            Link::Lost(failure) => explain(&failure, i18n.locale()),
        };
        Some(view! { <Notice tone=Tone::Warn help=help>{what}</Notice> })
    };
    let since = move || {
        let ago = feed.moments().ago(feed.age());
        feed.status(|_| (i18n.messages().sync.stale_since)(&ago))
    };
    view! {
        {said}
        <Show when=move || is_lost.get()>
            <div class="bar">
                <span class="soft">{since}</span>
                <ActionButton look=Look::Small on_press=move |()| feed.live.nudge()>
                    {move || i18n.messages().sync.try_now}
                </ActionButton>
            </div>
        </Show>
    }
}
