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
use crate::latest::Latest;
use crate::ui::combobox::{Combobox, Match, Matches, Words};
use crate::ui::field::{Field, field_id};

/// A search under way.
pub type Search = Pin<Box<dyn Future<Output = Result<Vec<Match>, Failure>>>>;

/// What is searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// A part of the name, or the id.
    pub text: String,
    /// Only what belongs to this.
    pub within: Option<String>,
    /// The language of the names.
    locale: Locale,
}

/// How long typing must pause before a search, in milliseconds.
const PAUSE: u32 = 200;

/// The combobox with a search behind it.
#[component]
pub fn NameFilter(
    /// The filter.
    key: FilterKey,
    /// The filter that what is offered must belong to.
    #[prop(optional)]
    within: Option<FilterKey>,
    /// What the field says when nothing is chosen.
    placeholder: fn(&Filters) -> &'static str,
    /// Searches.
    search: impl Fn(Query) -> Search + Copy + 'static,
    /// Changes the page's state to what was chosen.
    choose: fn(ExportState, Option<String>),
) -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let value = move |key: FilterKey| Some(state.page().value(key).to_owned()).filter(|id| !id.is_empty());
    let names = StoredValue::new(Names::default());
    let find = move |query: Query| async move {
        let locale = query.locale;
        let found = search(query).await?;
        names.update_value(|names| names.keep(locale, &found));
        Ok(found)
    };
    let typed = RwSignal::new(None::<String>);
    let found = Latest::new(
        move || Some(Query { text: typed.get()?, within: within.and_then(value), locale: i18n.locale() }),
        move |query| async move {
            // Whoever types on breaks this off, so that only a pause lets a search begin.
            if !query.text.is_empty() {
                TimeoutFuture::new(PAUSE).await;
            }
            find(query).await
        },
    );
    let matches = Signal::derive(move || match found.answer() {
        Some(Ok(found)) => Matches::Found(found),
        Some(Err(failure)) => Matches::Failed(explain(&failure, i18n.locale()).what),
        None => Matches::Searching,
    });
    let on_search = move |text: String| {
        let has_failed = matches!(untrack(|| found.answer()), Some(Err(_)));
        if has_failed && typed.with_untracked(|typed| typed.as_ref() == Some(&text)) {
            found.ask_again();
        }
        typed.set(Some(text));
    };

    let chosen_id = Memo::new(move |_| value(key));
    let known = move || names.with_value(|names| names.get(i18n.locale(), &chosen_id.get()?));
    let looked_up = Latest::new(
        move || {
            let text = chosen_id.get().filter(|_| known().is_none())?;
            Some(Query { text, within: None, locale: i18n.locale() })
        },
        find,
    );
    let chosen = Signal::derive(move || {
        looked_up.answer();
        let unnamed = |id: String| (i18n.messages().filters.by_id)(&id);
        known().or_else(|| chosen_id.get().map(unnamed))
    });
    let words = Signal::derive(move || {
        let filters = &i18n.messages().filters;
        Words {
            placeholder: placeholder(filters),
            clear: (filters.clear_one)(i18n.text(key.title())),
            searching: filters.searching,
            no_match: filters.no_match,
            matches: filters.matches,
        }
    });
    let on_choose = move |value: Option<String>| choose(state, value);
    let required = move || {
        let words = &i18n.messages().filters;
        match state.required() {
            keys if !keys.contains(&key) || keys.iter().any(|key| value(*key).is_some()) => None,
            [_] => Some(words.required.to_owned()),
            keys => {
                let names: Vec<&str> = keys.iter().map(|key| i18n.text(key.title())).collect();
                Some((words.required_one)(&names))
            }
        }
    };
    let problem = move || state.problem(key);
    view! {
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.text(key.title()))
            hint=Signal::derive(required)
            error=Signal::derive(problem)
        >
            <Combobox
                id=id
                words
                chosen
                matches
                is_wrong=Signal::derive(move || problem().is_some())
                on_search
                on_choose
            />
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
