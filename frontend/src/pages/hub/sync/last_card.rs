//! The last completed run.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::i18n::use_i18n;
use crate::ui::card::{Card, CardContent};

/// The card.
#[component]
pub fn LastCard() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let content = move || {
        let texts = &i18n.messages().sync;
        let (format, time_format) = (feed.format(), feed.time_format());
        feed.status(|status| {
            let (figure, text) = match &status.last_run {
                None => (texts.never_run.to_owned(), texts.never_run_help.to_owned()),
                Some(run) => {
                    let finished_at = run.finished_at.as_ref().unwrap_or(&run.started_at);
                    let events = (texts.events)(run.processed, &format.count(run.processed));
                    let took = run.duration_ms.map(|took| format.duration(took));
                    let facts = [Some(time_format.minute(finished_at)), took, Some(events)];
                    let facts: Vec<String> = facts.into_iter().flatten().collect();
                    (time_format.ago(feed.seconds_since(finished_at)), facts.join(" · "))
                }
            };
            CardContent { title: texts.last.to_owned(), figure, text, ..CardContent::default() }
        })
    };
    view! { <Card content=Signal::derive(content) /> }
}
