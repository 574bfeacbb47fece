//! The last runs, read again whenever one has ended.

use leptos::prelude::*;

use super::feed::use_feed;
use super::progress::{list, who};
use crate::api::sync::newest_runs;
use crate::api::sync::report::{DriverRun, Run, RunState};
use crate::i18n::messages::Messages;
use crate::i18n::sync::Sync;
use crate::i18n::use_i18n;
use crate::latest::Latest;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;

/// How many runs are shown.
const SHOWN: i64 = 5;

/// The panel.
#[component]
pub fn RunList() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let last = move || {
        let id = |run: &Option<Run>| run.as_ref().map(|run| run.id.clone());
        Some(feed.status(|status| (id(&status.running), id(&status.last_run))))
    };
    let runs = Latest::new(last, move |_| session.ask(newest_runs(SHOWN)));
    let failure = Signal::derive(move || runs.answer().and_then(Result::err));
    // Those of before stay until the next are here.
    let known = Memo::new(move |before: Option<&Option<Vec<Run>>>| match runs.newest() {
        Some((_, Ok(runs))) => Some(runs),
        Some((_, Err(_))) | None => before.cloned().flatten(),
    });
    let has_none = Memo::new(move |_| known.with(|runs| runs.as_ref().is_some_and(Vec::is_empty)));
    let is_loading = Memo::new(move |_| known.with(Option::is_none) && failure.get().is_none());
    let zone = move || {
        let said = feed.status(|status| (i18n.messages().sync.hours_in)(&status.timezone));
        said.filter(|_| known.with(|runs| runs.as_ref().is_some_and(|runs| !runs.is_empty())))
    };
    view! {
        <Panel title=Signal::derive(move || i18n.messages().sync.runs)>
            <Show when=move || is_loading.get()>
                <p class="soft" role="status">{move || i18n.messages().frame.loading}</p>
            </Show>
            <Failed failure on_retry=move |()| runs.ask_again() busy=runs.is_asking() />
            <Show when=move || has_none.get()>
                <Empty
                    title=Signal::derive(move || i18n.messages().sync.no_runs.to_owned())
                    help=Signal::derive(move || i18n.messages().sync.no_runs_help)
                />
            </Show>
            <ul class="runs">
                <For
                    each=move || known.get().unwrap_or_default()
                    key=|run| (run.id.clone(), run.state as u8)
                    let(run)
                >
                    <RunRow run />
                </For>
            </ul>
            <p class="soft">{zone}</p>
        </Panel>
    }
}

/// One run.
#[component]
fn RunRow(run: Run) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let (state, processed) = (run.state, run.processed);
    let (began, datetime) = (run.started_at.clone(), run.started_at.clone());
    let message = run.message.clone();
    let facts = move || {
        let words = i18n.messages();
        let format = feed.format();
        let took = run.duration_ms.map(|took| format.duration(took));
        let drivers = run.drivers.iter().map(|part| counts(part, words, &format));
        [Some(who(&run, words)), took].into_iter().flatten().chain(drivers).collect::<Vec<_>>().join(" · ")
    };
    view! {
        <li class="runs__one">
            <span class=tag_class(state)>{move || tag(state, &i18n.messages().sync)}</span>
            <span>{move || (i18n.messages().sync.events)(processed, &feed.format().count(processed))}</span>
            <time class="soft" datetime=datetime>
                {move || feed.moments().minute(&began)}
            </time>
            <span class="soft runs__facts">{facts}</span>
            {message.map(|message| view! { <span class="runs__message">{message}</span> })}
        </li>
    }
}

/// What one service did: `GA4: 498 entregados, 2 descartados`.
fn counts(part: &DriverRun, words: &Messages, format: &crate::i18n::format::Format) -> String {
    let words = &words.sync;
    let delivered = (words.delivered)(part.delivered, &format.count(part.delivered));
    let rest = [(part.retrying, words.retrying), (part.dead, words.dead), (part.expired, words.expired)];
    format!("{}: {}", part.driver.name(), list(format, Some(delivered), &rest))
}

const fn tag_class(state: RunState) -> &'static str {
    match state {
        RunState::Running => "tag tag--busy",
        RunState::Success => "tag tag--ok",
        RunState::Partial => "tag tag--warn",
        RunState::Failed => "tag tag--bad",
        RunState::Skipped | RunState::Unknown => "tag",
    }
}

/// How a run went, in a word.
pub fn tag(state: RunState, words: &Sync) -> &'static str {
    match state {
        RunState::Running => words.running,
        RunState::Success => words.success,
        RunState::Partial => words.partial,
        RunState::Failed => words.failed,
        RunState::Skipped => words.skipped_tag,
        RunState::Unknown => words.unknown,
    }
}
