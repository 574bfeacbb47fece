//! A filter whose value is found by searching for its name. The page's state holds the selection's id.

use std::collections::HashMap;
use std::pin::Pin;

use domain::Locale;
use domain::dataset::FilterKey;
use leptos::prelude::*;

use super::state::{ExportState, use_export};
use crate::api::failure::Failure;
use crate::i18n::messages::Filters;
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::search::Search;
use crate::ui::combobox::{Combobox, ComboboxTexts, SearchResult};
use crate::ui::field::{Field, field_id};

/// A running search.
pub type SearchFuture = Pin<Box<dyn Future<Output = Result<Vec<SearchResult>, Failure>>>>;

/// The input of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// A part of the name, or the id.
    pub text: String,
    /// The id of the parent that the results must belong to.
    pub within: Option<String>,
    /// The language of the names.
    locale: Locale,
}

/// The combobox with its search.
#[component]
pub fn NameFilter(
    key: FilterKey,
    /// The filter that selects the parent of the results.
    #[prop(optional)]
    within: Option<FilterKey>,
    /// The text of the field while nothing is selected.
    placeholder: fn(&Filters) -> &'static str,
    /// Starts a search.
    search: impl Fn(Query) -> SearchFuture + Copy + 'static,
    /// Applies the selection to the page's state.
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
        names.update_value(|names| names.insert(locale, &found));
        Ok(found)
    };
    let Search { results, on_search } = Search::new(
        move || (within.and_then(value), i18n.locale()),
        move |text, (within, locale)| find(Query { text, within, locale }),
    );

    let selected_id = Memo::new(move |_| value(key));
    let known_name = move || names.with_value(|names| names.get(i18n.locale(), &selected_id.get()?));
    let lookup = LatestRequest::new(
        move || {
            let text = selected_id.get().filter(|_| known_name().is_none())?;
            Some(Query { text, within: None, locale: i18n.locale() })
        },
        find,
    );
    let selected = Signal::derive(move || {
        lookup.response();
        let unnamed = |id: String| (i18n.messages().filters.by_id)(&id);
        known_name().or_else(|| selected_id.get().map(unnamed))
    });
    let texts = Signal::derive(move || {
        let filters = &i18n.messages().filters;
        ComboboxTexts {
            placeholder: placeholder(filters),
            clear: (filters.clear_one)(i18n.text(key.title())),
            searching: filters.searching,
            no_match: filters.no_match,
            results: filters.matches,
        }
    });
    let on_select = move |value: Option<String>| choose(state, value);
    let required = move || {
        let texts = &i18n.messages().filters;
        match state.required() {
            keys if !keys.contains(&key) || keys.iter().any(|key| value(*key).is_some()) => None,
            [_] => Some(texts.required.to_owned()),
            keys => {
                let names: Vec<&str> = keys.iter().map(|key| i18n.text(key.title())).collect();
                Some((texts.required_any)(&names))
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
                texts
                selected
                results
                is_invalid=Signal::derive(move || problem().is_some())
                on_search
                on_select
            />
        </Field>
    }
}

/// A cache of the names found so far, by language and id.
#[derive(Default)]
struct Names(HashMap<(&'static str, String), String>);

impl Names {
    fn insert(&mut self, locale: Locale, found: &[SearchResult]) {
        self.0.extend(found.iter().map(|found| ((locale.tag(), found.value.clone()), found.label.clone())));
    }

    fn get(&self, locale: Locale, id: &str) -> Option<String> {
        self.0.get(&(locale.tag(), id.to_owned())).cloned()
    }
}
