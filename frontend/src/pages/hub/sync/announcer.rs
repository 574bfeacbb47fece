//! Tells a screen reader, once each, that a run began and that it ended; not every step between.

use leptos::prelude::*;

use super::feed::use_feed;
use super::run_list::tag;
use crate::api::sync::report::{Run, RunState};
use crate::i18n::use_i18n;

/// What is said; nothing of what was so already when the page was opened.
#[component]
pub fn Announcer() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let newest = Memo::new(move |_| {
        let news = |run: &Run| (run.id.clone(), run.state, run.processed);
        feed.status(|status| match (&status.running, &status.last_run) {
            // How many events it has had so far is no news.
            (Some(run), _) => Some((run.id.clone(), RunState::Running, 0)),
            (None, last) => last.as_ref().map(news),
        })
    });
    let at_first = StoredValue::new(None);
    let said = move || {
        let newest = newest.get()?;
        if at_first.with_value(Option::is_none) {
            at_first.set_value(Some(newest.clone()));
        }
        let (_, state, processed) = newest.clone().filter(|_| at_first.get_value() != Some(newest))?;
        let words = &i18n.messages().sync;
        Some(match state {
            RunState::Running => words.goes_on.to_owned(),
            RunState::Success
            | RunState::Partial
            | RunState::Failed
            | RunState::Skipped
            | RunState::Unknown => {
                let events = (words.events)(processed, &feed.format().count(processed));
                format!("{} {}", (words.ended)(&events), tag(state, words))
            }
        })
    };
    view! { <p class="unseen" role="status">{said}</p> }
}
