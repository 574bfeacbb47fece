//! What is pending; lit when it is too much or too old, with what to do about it.

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
use crate::ui::card::{Card, Face, Light};

/// The card.
#[component]
pub fn PendingCard() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let path = use_location().pathname;
    let face = move || {
        let words = &i18n.messages().sync;
        let format = feed.format();
        feed.status(|status| {
            let threshold = format.count(status.alert_threshold);
            let is_many = match status.events_pending.cmp(&status.alert_threshold) {
                Ordering::Greater => Some((words.over_threshold)(&threshold)),
                Ordering::Equal => Some((words.at_threshold)(&threshold)),
                Ordering::Less => None,
            };
            let oldest = status.oldest_pending_seconds.map(|seconds| {
                let phrase = if seconds >= status.alert_age_seconds { words.over_age } else { words.oldest };
                phrase(&feed.moments().ago(seconds + feed.age()))
            });
            let what_to_do = match remedy(status) {
                Remedy::Nothing => None,
                Remedy::Wait => Some(words.being_sent),
                Remedy::Mend => Some(words.do_mend),
                Remedy::Enable => Some(words.do_enable),
                Remedy::Run if session.may(Act::RunSync) => Some(words.do_run),
                Remedy::Run => Some(words.do_ask),
            };
            let told: Vec<String> =
                [is_many, oldest, what_to_do.map(str::to_owned)].into_iter().flatten().collect();
            let told = if told.is_empty() { words.all_sent.to_owned() } else { told.join(" ") };
            Face {
                light: if status.backlog_alert { Light::Lit } else { Light::Plain },
                title: words.pending.to_owned(),
                figure: format.count(status.events_pending),
                words: told,
                ..Face::default()
            }
        })
    };
    let leads_there = Memo::new(move |_| {
        let is_lit = feed.status(|status| status.backlog_alert) == Some(true);
        is_lit && path.with(|path| Section::at(path) != Some(Section::Sync))
    });
    view! {
        <Card face=Signal::derive(face)>
            <Show when=move || leads_there.get()>
                <p>
                    <A href=move || Section::Sync.path(i18n.locale())>{move || i18n.messages().sync.go}</A>
                </p>
            </Show>
        </Card>
    }
}

/// What helps against a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// There is no need of any.
    Nothing,
    /// A run is under way already.
    Wait,
    /// What lacks a setting is given it.
    Mend,
    /// There is something to send to.
    Enable,
    /// A run.
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
        Readiness::LacksSetting => Remedy::Mend,
        Readiness::Off => Remedy::Enable,
    }
}
