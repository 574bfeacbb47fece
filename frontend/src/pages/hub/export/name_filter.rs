//! A filter by something that has a name, found by searching for it. What is chosen is kept by its id.

use std::collections::HashMap;
use std::pin::Pin;

use domain::Locale;
use domain::filter::FilterKey;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::state::{ExportState, use_export};
use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::messages::Filters;
use crate::i18n::use_i18n;
use crate::ui::combobox::{Combobox, Match, Matches, Words};
use crate::ui::field::{Field, field_id};

/// A search under way.
pub type Search = Pin<Box<dyn Future<Output = Result<Vec<Match>, Failure>>>>;

/// How long typing must pause before a search, in milliseconds.
const PAUSE: u32 = 200;

/// The combobox with a search behind it.
#[component]
pub fn NameFilter(
    /// The filter.
    key: FilterKey,
    /// What the field says when nothing is chosen.
    placeholder: fn(&Filters) -> &'static str,
    /// Searches by a part of the name, or by the id.
    search: impl Fn(String) -> Search + Copy + 'static,
    /// Changes the page's state to what was chosen.
    choose: fn(ExportState, Option<String>),
) -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let names = StoredValue::new(Names::default());
    let wanted = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let found = LocalResource::new(move || {
        let locale = i18n.locale();
        let search = wanted.get().map(|text| (TimeoutFuture::new(PAUSE), search(text)));
        async move {
            let (pause, search) = search?;
            pause.await;
            let found = search.await;
            names.update_value(|names| names.keep(locale, found.as_deref().unwrap_or_default()));
            busy.set(false);
            Some(found)
        }
    });
    let matches = Signal::derive(move || match found.get().flatten() {
        Some(Ok(found)) if !busy.get() => Matches::Found(found),
        Some(Err(failure)) if !busy.get() => Matches::Failed(explain(&failure, i18n.locale()).what),
        Some(_) | None => Matches::Searching,
    });
    let on_search = move |text: String| {
        busy.set(true);
        wanted.set(Some(text));
    };

    let chosen_id = Memo::new(move |_| Some(state.page().value(key).to_owned()).filter(|id| !id.is_empty()));
    let known = move || names.with_value(|names| names.get(i18n.locale(), &chosen_id.get()?));
    let looked_up = LocalResource::new(move || {
        let locale = i18n.locale();
        let search = chosen_id.get().filter(|_| known().is_none()).map(search);
        async move {
            let found = search?.await.unwrap_or_default();
            names.update_value(|names| names.keep(locale, &found));
            Some(())
        }
    });
    let chosen = Signal::derive(move || {
        looked_up.get();
        let unnamed = |id: String| (i18n.messages().filters.by_id)(&id);
        known().or_else(|| chosen_id.get().map(unnamed))
    });
    let words = Signal::derive(move || {
        let (frame, filters) = (&i18n.messages().frame, &i18n.messages().filters);
        Words {
            placeholder: placeholder(filters),
            clear: frame.clear,
            searching: filters.searching,
            no_match: filters.no_match,
            matches: filters.matches,
        }
    });
    let on_choose = move |value: Option<String>| choose(state, value);
    view! {
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.text(key.title()))
            error=Signal::derive(move || state.problem(key))
        >
            <Combobox id=id words chosen matches on_search on_choose />
        </Field>
    }
}

/// The names that were found so far, by language and id.
#[derive(Default)]
struct Names(HashMap<(&'static str, String), String>);

impl Names {
    fn keep(&mut self, locale: Locale, found: &[Match]) {
        self.0.extend(found.iter().map(|found| ((locale.tag(), found.value.clone()), found.label.clone())));
    }

    fn get(&self, locale: Locale, id: &str) -> Option<String> {
        self.0.get(&(locale.tag(), id.to_owned())).cloned()
    }
}
