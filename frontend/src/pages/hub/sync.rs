//! The sync with the analytics services: how it stands, a run under way, starting one, and the last ones.

mod announcer;
mod connection;
mod driver_card;
pub mod feed;
mod last_card;
pub mod overview;
mod pending_card;
mod progress;
mod run_list;
mod run_panel;
mod start;

use domain::access::Act;
use leptos::prelude::*;

use crate::i18n::use_i18n;
use crate::pages::heading::Heading;
use crate::session::use_session;
use crate::ui::notice::{Notice, Tone};
use overview::Overview;
use run_list::RunList;
use run_panel::RunPanel;

/// The page.
#[component]
pub fn SyncPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let may_see = Memo::new(move |_| session.may(Act::SeeSync));
    let not_theirs = move || {
        let words = &i18n.messages().failures;
        view! { <Notice tone=Tone::Warn help=words.forbidden_help>{words.forbidden}</Notice> }
    };
    view! {
        <Heading title=|i18n| i18n.messages().sync.title lead=|i18n| i18n.messages().sync.lead />
        <Show when=move || may_see.get() fallback=not_theirs>
            <Overview />
            <div class="columns">
                <RunPanel />
                <RunList />
            </div>
        </Show>
    }
}
