//! The pending events. The card is highlighted on a backlog alert, and then says what to do.

use std::cmp::Ordering;

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use super::feed::use_feed;
use crate::address::Section;
use crate::api::sync::report::{Readiness, Status};
use crate::i18n::use_i18n;
use crate::session::use_session;
use crate::ui::card::{Card, CardContent, Emphasis};

/// The card.
#[component]
pub fn PendingCard() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let path = use_location().pathname;
    let content = move || {
        let texts = &i18n.messages().sync;
        let format = feed.format();
        feed.status(|status| {
            let threshold = format.count(status.alert_threshold);
            let over_limit = match status.events_pending.cmp(&status.alert_threshold) {
                Ordering::Greater => Some((texts.over_threshold)(&threshold)),
                Ordering::Equal => Some((texts.at_threshold)(&threshold)),
                Ordering::Less => None,
            };
            let oldest = status.oldest_pending_seconds.map(|seconds| {
                let text = if seconds >= status.alert_age_seconds { texts.over_age } else { texts.oldest };
                text(&feed.time_format().ago(seconds + feed.age()))
            });
            let action = match remedy(status) {
                Remedy::Nothing => None,
                Remedy::Wait => Some(texts.being_sent),
                Remedy::FixSetting => Some(texts.fix_setting),
                Remedy::Enable => Some(texts.enable_driver),
                Remedy::Run if session.may(Act::RunSync) => Some(texts.run_now),
                Remedy::Run => Some(texts.ask_to_run),
            };
            let sentences: Vec<String> =
                [over_limit, oldest, action.map(str::to_owned)].into_iter().flatten().collect();
            let sentences =
                if sentences.is_empty() { texts.all_sent.to_owned() } else { sentences.join(" ") };
            CardContent {
                emphasis: if status.backlog_alert { Emphasis::Highlighted } else { Emphasis::Normal },
                title: texts.pending.to_owned(),
                figure: format.count(status.events_pending),
                text: sentences,
                ..CardContent::default()
            }
        })
    };
    let shows_link = Memo::new(move |_| {
        let is_highlighted = feed.status(|status| status.backlog_alert) == Some(true);
        is_highlighted && path.with(|path| Section::at(path) != Some(Section::Sync))
    });
    view! {
        <Card content=Signal::derive(content)>
            <Show when=move || shows_link.get()>
                <p>
                    <A href=move || Section::Sync.path(i18n.locale())>{move || i18n.messages().sync.go}</A>
                </p>
            </Show>
        </Card>
    }
}

/// What the user can do about a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// Nothing, because there is no alert.
    Nothing,
    /// Wait for the run in progress.
    Wait,
    /// Set the missing setting.
    FixSetting,
    /// Enable a driver.
    Enable,
    /// Start a run.
    Run,
}

fn remedy(status: &Status) -> Remedy {
    if !status.backlog_alert {
        return Remedy::Nothing;
    }
    if status.running.is_some() {
        return Remedy::Wait;
    }
    match status.readiness() {
        Readiness::Ready => Remedy::Run,
        Readiness::SettingMissing => Remedy::FixSetting,
        Readiness::Off => Remedy::Enable,
    }
}
