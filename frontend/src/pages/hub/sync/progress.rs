//! How far the run under way has come at each service.

use leptos::prelude::*;

use super::feed::{SyncFeed, use_feed};
use crate::api::sync::report::{Driver, DriverRun, DriverStatus, Run, Trigger};
use crate::i18n::format::Format;
use crate::i18n::messages::Messages;
use crate::i18n::use_i18n;
use crate::ui::meter::Meter;

/// The bars; nothing while no run is under way.
#[component]
pub fn Progress() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let about = move || {
        let words = i18n.messages();
        let run = feed.running()?;
        let began = feed.moments().ago(feed.seconds_since(&run.started_at));
        Some((words.sync.under_way)(&who(&run, words), &began))
    };
    view! {
        <p class="soft">{about}</p>
        {Driver::KNOWN.map(|driver| view! { <DriverProgress driver feed /> }).collect_view()}
    }
}

/// One service's bar, where the run has to do with it.
#[component]
fn DriverProgress(driver: Driver, feed: SyncFeed) -> impl IntoView {
    let i18n = use_i18n();
    let part = Memo::new(move |_| {
        let run = feed.running()?;
        let part = run.drivers.iter().find(|part| part.driver == driver).cloned()?;
        let pending = feed.driver(driver).map_or(0, |DriverStatus { pending, .. }| pending);
        Some((total(&part, run.limit, pending), part))
    });
    let takes_part = Memo::new(move |_| part.with(Option::is_some));
    let done = move || part.get().map_or((0, 1), |(total, part)| (part.settled(), total));
    let words = move || {
        let (messages, format) = (i18n.messages(), feed.format());
        part.get().map_or_else(String::new, |(total, part)| {
            let progress = (messages.sync.progress)(&format.count(part.settled()), &format.count(total));
            let rest = [
                (part.retrying, messages.sync.retrying),
                (part.dead, messages.sync.dead),
                (part.expired, messages.sync.expired),
            ];
            list(&format, Some(progress), &rest)
        })
    };
    view! {
        <Show when=move || takes_part.get()>
            <Meter label=driver.name() words=Signal::derive(words) done=Signal::derive(done) />
        </Show>
    }
}

/// How many events the run has for the service: what is settled and what is pending, but no more than it may take.
fn total(part: &DriverRun, limit: Option<u64>, pending: u64) -> u64 {
    let all = part.settled() + pending;
    // A run that goes on until nothing is pending may take more than its limit, a batch at a time.
    limit.filter(|limit| part.settled() <= *limit).map_or(all, |limit| all.min(limit))
}

/// A count, and how a phrase tells it.
pub type Counted = (u64, fn(u64, &str) -> String);

/// What there is to say, with those counts that are not 0 behind it: `498 entregados, 2 descartados`.
pub fn list(format: &Format, first: Option<String>, counts: &[Counted]) -> String {
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told = told.map(|(count, phrase)| phrase(*count, &format.count(*count)));
    first.into_iter().chain(told).collect::<Vec<_>>().join(", ")
}

/// Who or what started a run.
pub fn who(run: &Run, words: &Messages) -> String {
    match (run.trigger, &run.triggered_by) {
        (_, Some(name)) => name.clone(),
        (Trigger::Schedule, None) => words.sync.scheduled.to_owned(),
        (Trigger::Command, None) => words.sync.command_line.to_owned(),
        (Trigger::User, None) => words.sync.somebody.to_owned(),
        (Trigger::Unknown, None) => words.sync.unknown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_as_long_as_what_is_pending_but_no_longer_than_its_limit() {
        let part = DriverRun { driver: Driver::Ga4, delivered: 200, retrying: 5, dead: 10, expired: 2 };
        assert_eq!(total(&part, Some(500), 4_000), 500);
        assert_eq!(total(&part, Some(500), 88), 300);
        assert_eq!(total(&part, None, 4_000), 4_212);
        assert_eq!(total(&part, Some(100), 4_000), 4_212);
    }
}
