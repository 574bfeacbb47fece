//! The sync page: status, the run in progress, the form that starts a run, and recent runs.

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
    let forbidden = move || {
        let texts = &i18n.messages().failures;
        view! { <Notice tone=Tone::Warn help=texts.forbidden_help>{texts.forbidden}</Notice> }
    };
    view! {
        <Heading title=|i18n| i18n.messages().sync.title lead=|i18n| i18n.messages().sync.lead />
        <Show when=move || may_see.get() fallback=forbidden>
            <Overview />
            <div class="columns">
                <RunPanel />
                <RunList />
            </div>
        </Show>
    }
}
