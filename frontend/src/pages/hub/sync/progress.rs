//! The progress of the current run at each service.

use leptos::prelude::*;

use super::feed::{SyncFeed, use_feed};
use crate::api::sync::report::{Driver, DriverRun, DriverStatus, Run, Trigger};
use crate::i18n::format::Format;
use crate::i18n::messages::Messages;
use crate::i18n::use_i18n;
use crate::ui::meter::Meter;

/// A progress bar per service. Shows nothing if there is no run.
#[component]
pub fn Progress() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let summary = move || {
        let texts = i18n.messages();
        let run = feed.running()?;
        let started = feed.time_format().ago(feed.seconds_since(&run.started_at));
        Some((texts.sync.run_in_progress)(&started_by(&run, texts), &started))
    };
    view! {
        <p class="muted">{summary}</p>
        {Driver::KNOWN.map(|driver| view! { <DriverProgress driver feed /> }).collect_view()}
    }
}

/// One service's progress bar, if the run includes the service.
#[component]
fn DriverProgress(driver: Driver, feed: SyncFeed) -> impl IntoView {
    let i18n = use_i18n();
    let driver_run = Memo::new(move |_| {
        let run = feed.running()?;
        let driver_run = run.drivers.iter().find(|driver_run| driver_run.driver == driver).cloned()?;
        let pending = feed.driver(driver).map_or(0, |DriverStatus { pending, .. }| pending);
        Some((total(&driver_run, run.limit, pending), driver_run))
    });
    let is_included = Memo::new(move |_| driver_run.with(Option::is_some));
    let done = move || driver_run.get().map_or((0, 1), |(total, driver_run)| (driver_run.finished(), total));
    let text = move || {
        let (messages, format) = (i18n.messages(), feed.format());
        driver_run.get().map_or_else(String::new, |(total, driver_run)| {
            let progress =
                (messages.sync.progress)(&format.count(driver_run.finished()), &format.count(total));
            let rest = [
                (driver_run.retrying, messages.sync.retrying),
                (driver_run.dead, messages.sync.dead),
                (driver_run.expired, messages.sync.expired),
            ];
            join_counts(&format, Some(progress), &rest)
        })
    };
    view! {
        <Show when=move || is_included.get()>
            <Meter label=driver.name() text=Signal::derive(text) done=Signal::derive(done) />
        </Show>
    }
}

/// The number of events that the run has for a service: finished and pending events, up to the limit.
fn total(driver_run: &DriverRun, limit: Option<u64>, pending: u64) -> u64 {
    let all = driver_run.finished() + pending;
    // A run with `--until-empty` sends batches until nothing is pending, so it may exceed its limit.
    limit.filter(|limit| driver_run.finished() <= *limit).map_or(all, |limit| all.min(limit))
}

/// A count with the function that formats it.
pub type Counted = (u64, fn(u64, &str) -> String);

/// Joins a text and the counts that are not 0: `498 entregados, 2 fallidos`.
pub fn join_counts(format: &Format, first: Option<String>, counts: &[Counted]) -> String {
    let texts = counts.iter().filter(|(count, _)| *count > 0);
    let texts = texts.map(|(count, text)| text(*count, &format.count(*count)));
    first.into_iter().chain(texts).collect::<Vec<_>>().join(", ")
}

/// Who or what started a run.
pub fn started_by(run: &Run, texts: &Messages) -> String {
    match (run.trigger, &run.triggered_by) {
        (_, Some(name)) => name.clone(),
        (Trigger::Schedule, None) => texts.sync.scheduled.to_owned(),
        (Trigger::Command, None) => texts.sync.command_line.to_owned(),
        (Trigger::User, None) => texts.sync.deleted_user.to_owned(),
        (Trigger::Unknown, None) => texts.sync.unknown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_finished_and_pending_events_up_to_the_limit() {
        let driver_run = DriverRun { driver: Driver::Ga4, delivered: 200, retrying: 5, dead: 10, expired: 2 };
        assert_eq!(total(&driver_run, Some(500), 4_000), 500);
        assert_eq!(total(&driver_run, Some(500), 88), 300);
        assert_eq!(total(&driver_run, None, 4_000), 4_212);
        assert_eq!(total(&driver_run, Some(100), 4_000), 4_212);
    }
}
