//! Announces the start and the end of a run to screen readers, but not its progress.

use leptos::prelude::*;

use super::feed::use_feed;
use super::run_list::state_text;
use crate::api::sync::report::{Run, RunState};
use crate::i18n::use_i18n;

/// The live region. It does not announce the state at the time when the page was opened.
#[component]
pub fn Announcer() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let newest = Memo::new(move |_| {
        let key = |run: &Run| (run.id.clone(), run.state, run.processed);
        feed.status(|status| match (&status.running, &status.last_run) {
            // A constant count, so that progress does not count as a change.
            (Some(run), _) => Some((run.id.clone(), RunState::Running, 0)),
            (None, last) => last.as_ref().map(key),
        })
    });
    let initial = StoredValue::new(None);
    let announcement = move || {
        let newest = newest.get()?;
        if initial.with_value(Option::is_none) {
            initial.set_value(Some(newest.clone()));
        }
        let (_, state, processed) = newest.clone().filter(|_| initial.get_value() != Some(newest))?;
        let texts = &i18n.messages().sync;
        Some(match state {
            RunState::Running => texts.in_progress.to_owned(),
            RunState::Success
            | RunState::Partial
            | RunState::Failed
            | RunState::Skipped
            | RunState::Unknown => {
                let events = (texts.events)(processed, &feed.format().count(processed));
                format!("{} {}", (texts.run_finished)(&events), state_text(state, texts))
            }
        })
    };
    view! { <p class="visually-hidden" role="status">{announcement}</p> }
}
