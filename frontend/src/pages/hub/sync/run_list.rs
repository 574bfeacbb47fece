//! The recent runs, loaded again whenever a run starts or ends.

use leptos::prelude::*;

use super::feed::use_feed;
use super::progress::{join_counts, started_by};
use crate::api::sync::newest_runs;
use crate::api::sync::report::{DriverRun, Run, RunState};
use crate::i18n::messages::Messages;
use crate::i18n::sync::Sync;
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;

/// Maximum number of runs in the list.
const MAX_RUNS: i64 = 5;

/// The panel.
#[component]
pub fn RunList() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let run_ids = move || {
        let id = |run: &Option<Run>| run.as_ref().map(|run| run.id.clone());
        Some(feed.status(|status| (id(&status.running), id(&status.last_run))))
    };
    let runs = LatestRequest::new(run_ids, move |_| session.send(newest_runs(MAX_RUNS)));
    let failure = Signal::derive(move || runs.response().and_then(Result::err));
    // The previous runs stay until the new ones are loaded.
    let loaded = Memo::new(move |previous: Option<&Option<Vec<Run>>>| match runs.last_response() {
        Some((_, Ok(runs))) => Some(runs),
        Some((_, Err(_))) | None => previous.cloned().flatten(),
    });
    let has_none = Memo::new(move |_| loaded.with(|runs| runs.as_ref().is_some_and(Vec::is_empty)));
    let is_loading = Memo::new(move |_| loaded.with(Option::is_none) && failure.get().is_none());
    let zone = move || {
        let text = feed.status(|status| (i18n.messages().sync.times_in)(&status.timezone));
        text.filter(|_| loaded.with(|runs| runs.as_ref().is_some_and(|runs| !runs.is_empty())))
    };
    view! {
        <Panel title=Signal::derive(move || i18n.messages().sync.runs)>
            <Show when=move || is_loading.get()>
                <p class="muted" role="status">{move || i18n.messages().frame.loading}</p>
            </Show>
            <Failed failure on_retry=move |()| runs.reload() busy=runs.is_loading() />
            <Show when=move || has_none.get()>
                <Empty
                    title=Signal::derive(move || i18n.messages().sync.no_runs.to_owned())
                    help=Signal::derive(move || i18n.messages().sync.no_runs_help)
                />
            </Show>
            <ul class="runs">
                <For
                    each=move || loaded.get().unwrap_or_default()
                    key=|run| (run.id.clone(), run.state as u8)
                    let(run)
                >
                    <RunRow run />
                </For>
            </ul>
            <p class="muted">{zone}</p>
        </Panel>
    }
}

/// A run.
#[component]
fn RunRow(run: Run) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let (state, processed) = (run.state, run.processed);
    let (started_at, datetime) = (run.started_at.clone(), run.started_at.clone());
    let message = run.message.clone();
    let facts = move || {
        let texts = i18n.messages();
        let format = feed.format();
        let duration = run.duration_ms.map(|duration| format.duration(duration));
        let drivers = run.drivers.iter().map(|driver_run| describe_counts(driver_run, texts, &format));
        [Some(started_by(&run, texts)), duration]
            .into_iter()
            .flatten()
            .chain(drivers)
            .collect::<Vec<_>>()
            .join(" · ")
    };
    view! {
        <li class="runs__item">
            <span class=state_class(state)>{move || state_text(state, &i18n.messages().sync)}</span>
            <span>{move || (i18n.messages().sync.events)(processed, &feed.format().count(processed))}</span>
            <time class="muted" datetime=datetime>
                {move || feed.time_format().minute(&started_at)}
            </time>
            <span class="muted runs__facts">{facts}</span>
            {message.map(|message| view! { <span class="runs__message">{message}</span> })}
        </li>
    }
}

/// The counts of one service: `GA4: 498 entregados, 2 fallidos`.
fn describe_counts(driver_run: &DriverRun, texts: &Messages, format: &crate::i18n::format::Format) -> String {
    let texts = &texts.sync;
    let delivered = (texts.delivered)(driver_run.delivered, &format.count(driver_run.delivered));
    let rest = [
        (driver_run.retrying, texts.retrying),
        (driver_run.dead, texts.dead),
        (driver_run.expired, texts.expired),
    ];
    format!("{}: {}", driver_run.driver.name(), join_counts(format, Some(delivered), &rest))
}

const fn state_class(state: RunState) -> &'static str {
    match state {
        RunState::Running => "tag tag--busy",
        RunState::Success => "tag tag--ok",
        RunState::Partial => "tag tag--warn",
        RunState::Failed => "tag tag--bad",
        RunState::Skipped | RunState::Unknown => "tag",
    }
}

/// The text of a run's state.
pub fn state_text(state: RunState, texts: &Sync) -> &'static str {
    match state {
        RunState::Running => texts.running,
        RunState::Success => texts.success,
        RunState::Partial => texts.partial,
        RunState::Failed => texts.failed,
        RunState::Skipped => texts.skipped_tag,
        RunState::Unknown => texts.unknown,
    }
}
