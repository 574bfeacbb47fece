//! The run that ended last.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::i18n::use_i18n;
use crate::ui::card::{Card, Face};

/// The card.
#[component]
pub fn LastCard() -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let face = move || {
        let words = &i18n.messages().sync;
        let (format, moments) = (feed.format(), feed.moments());
        feed.status(|status| {
            let (figure, told) = match &status.last_run {
                None => (words.never.to_owned(), words.never_help.to_owned()),
                Some(run) => {
                    let ended = run.finished_at.as_ref().unwrap_or(&run.started_at);
                    let events = (words.events)(run.processed, &format.count(run.processed));
                    let took = run.duration_ms.map(|took| format.duration(took));
                    let facts = [Some(moments.minute(ended)), took, Some(events)];
                    let facts: Vec<String> = facts.into_iter().flatten().collect();
                    (moments.ago(feed.seconds_since(ended)), facts.join(" · "))
                }
            };
            Face { title: words.last.to_owned(), figure, words: told, ..Face::default() }
        })
    };
    view! { <Card face=Signal::derive(face) /> }
}
