//! A search for what is typed into a combobox.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::ui::combobox::{SearchResult, SearchState};

/// The delay after the last keystroke before a search, in milliseconds.
const DEBOUNCE_MS: u32 = 200;

/// A search, for the properties of a combobox.
#[derive(Clone, Copy)]
pub struct Search {
    pub results: Signal<SearchState>,
    pub on_search: Callback<String>,
}

impl Search {
    /// Calls `find` with the typed text and with `context`, again whenever one of them changes.
    pub fn new<C, F>(
        context: impl Fn() -> C + Send + Sync + 'static,
        find: impl Fn(String, C) -> F + Copy + 'static,
    ) -> Self
    where
        C: Clone + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<Vec<SearchResult>, Failure>> + 'static,
    {
        let i18n = use_i18n();
        let typed = RwSignal::new(None::<String>);
        let found = LatestRequest::new(
            move || Some((typed.get()?, context())),
            move |(text, context)| async move {
                // Further typing aborts this future, so the search starts only after a pause.
                if !text.is_empty() {
                    TimeoutFuture::new(DEBOUNCE_MS).await;
                }
                find(text, context).await
            },
        );
        let results = Signal::derive(move || match found.response() {
            Some(Ok(found)) => SearchState::Found(found),
            Some(Err(failure)) => SearchState::Failed(explain(&failure, i18n.locale()).message),
            None => SearchState::Searching,
        });
        let on_search = Callback::new(move |text: String| {
            let has_failed = matches!(untrack(|| found.response()), Some(Err(_)));
            if has_failed && typed.with_untracked(|typed| typed.as_ref() == Some(&text)) {
                found.reload();
            }
            typed.set(Some(text));
        });
        Self { results, on_search }
    }
}
