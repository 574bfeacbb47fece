//! What is pending; lit when it is too much or too old, with what to do about it.

use domain::access::Act;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use super::feed::{SyncFeed, use_feed};
use crate::address::Section;
use crate::api::sync::report::{DriverStatus, Status};
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
            let told = match why(status) {
                Some(why) => {
                    let why = match why {
                        Why::Count => (words.over_threshold)(&format.count(status.alert_threshold)),
                        Why::Age => (words.over_age)(&oldest(feed, status).unwrap_or_default()),
                    };
                    let what_to_do = match remedy(status) {
                        Remedy::Wait => words.being_sent,
                        Remedy::Enable => words.do_enable,
                        Remedy::Run if session.may(Act::RunSync) => words.do_run,
                        Remedy::Run => words.do_ask,
                    };
                    format!("{why} {what_to_do}")
                }
                None => match oldest(feed, status) {
                    Some(ago) => (words.oldest)(&ago),
                    None => words.all_sent.to_owned(),
                },
            };
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

/// Why the card is lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Too many events are pending.
    Count,
    /// One of them has waited too long.
    Age,
}

/// What helps against a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// A run is under way already.
    Wait,
    /// There is nothing to send to.
    Enable,
    /// A run.
    Run,
}

fn why(status: &Status) -> Option<Why> {
    let is_full = status.events_pending >= status.alert_threshold;
    status.backlog_alert.then_some(if is_full { Why::Count } else { Why::Age })
}

fn remedy(status: &Status) -> Remedy {
    if status.running.is_some() {
        Remedy::Wait
    } else if status.drivers.iter().any(DriverStatus::is_ready) {
        Remedy::Run
    } else {
        Remedy::Enable
    }
}

/// How long ago the oldest pending event was recorded.
#[expect(clippy::cast_precision_loss, reason = "an age in seconds is far below 2^53")]
fn oldest(feed: SyncFeed, status: &Status) -> Option<String> {
    let seconds = status.oldest_pending_seconds?;
    Some(feed.moments().ago(seconds as f64 + feed.age()))
}
