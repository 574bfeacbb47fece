//! The run in progress, if any, and the form that starts a run.

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
    let help = move || {
        let texts = &i18n.messages().sync;
        let pending = feed.status(|status| status.events_pending);
        match feed.status(Status::readiness) {
            Some(Readiness::Off) => texts.enable_driver,
            Some(Readiness::SettingMissing) => texts.fix_setting,
            Some(Readiness::Ready) | None if pending == Some(0) => texts.all_sent,
            Some(Readiness::Ready) | None if may_run.get() => texts.idle_pending,
            Some(Readiness::Ready) | None => texts.idle_wait,
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
                    help=Signal::derive(help)
                />
            </Show>
            <Show when=move || may_run.get()>
                <Start />
            </Show>
        </Panel>
    }
}
