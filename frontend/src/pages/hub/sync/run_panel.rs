//! The run under way, or that there is none, and the form that starts one.

use domain::access::Act;
use leptos::prelude::*;

use super::feed::use_feed;
use super::progress::Progress;
use super::start::Start;
use crate::api::sync::report::{Readiness, Status};
use crate::i18n::use_i18n;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;

/// The panel.
#[component]
pub fn RunPanel() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let may_run = Memo::new(move |_| session.may(Act::RunSync));
    let is_running = Memo::new(move |_| feed.status(|status| status.running.is_some()));
    let what_next = move || {
        let words = &i18n.messages().sync;
        let pending = feed.status(|status| status.events_pending);
        match feed.status(Status::readiness) {
            Some(Readiness::Off) => words.do_enable,
            Some(Readiness::LacksSetting) => words.do_mend,
            Some(Readiness::Ready) | None if pending == Some(0) => words.all_sent,
            Some(Readiness::Ready) | None if may_run.get() => words.idle_pending,
            Some(Readiness::Ready) | None => words.idle_ask,
        }
    };
    view! {
        <Panel title=Signal::derive(move || i18n.messages().sync.run)>
            <Show when=move || is_running.get() == Some(true)>
                <Progress />
            </Show>
            <Show when=move || is_running.get() == Some(false)>
                <Empty
                    title=Signal::derive(move || i18n.messages().sync.idle.to_owned())
                    help=Signal::derive(what_next)
                />
            </Show>
            <Show when=move || may_run.get()>
                <Start />
            </Show>
        </Panel>
    }
}
