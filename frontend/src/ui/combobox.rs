//! A text field with a list of search results: the combobox pattern of the ARIA Authoring Practices Guide.
//!
//! The field shows the selection, or the text that is being typed. Leaving the field restores the selection,
//! unless the field was emptied, which clears it.

mod list;
mod movement;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::field::{description_id, label_id};
use list::List;
use movement::{Movement, movement};

/// A search result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SearchResult {
    /// The value to select it by.
    pub value: String,
    pub label: String,
    /// Distinguishes it from others with the same label.
    pub hint: Option<String>,
}

/// The state of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchState {
    /// In progress.
    Searching,
    /// Completed.
    Found(Vec<SearchResult>),
    /// Failed, with the reason.
    Failed(String),
}

/// The texts of a combobox.
#[derive(Clone, Debug)]
pub struct ComboboxTexts {
    /// The field's placeholder while nothing is selected.
    pub placeholder: &'static str,
    /// The accessible name of the clear button.
    pub clear: String,
    /// Shown during a search.
    pub searching: &'static str,
    /// Shown if there are no results.
    pub no_match: &'static str,
    /// The number of results, for screen readers.
    pub results: fn(usize) -> String,
}

/// The combobox. Its label comes from the enclosing `Field`.
#[component]
pub fn Combobox(
    /// The input's id.
    id: String,
    #[prop(into)] texts: Signal<ComboboxTexts>,
    /// The label of the selection.
    #[prop(into)]
    selected: Signal<Option<String>>,
    #[prop(into)] results: Signal<SearchState>,
    /// Whether the selection is invalid.
    #[prop(optional, into)]
    is_invalid: Signal<bool>,
    /// Called with the typed text.
    #[prop(into)]
    on_search: Callback<String>,
    /// Called with the selected value, or with `None` when the selection was cleared.
    #[prop(into)]
    on_select: Callback<Option<String>>,
) -> impl IntoView {
    let typed = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let active = RwSignal::new(None::<usize>);
    let field = NodeRef::<html::Input>::new();
    let list_id = format!("{id}-list");
    let option_id = Callback::new({
        let id = id.clone();
        move |index: usize| format!("{id}-option-{index}")
    });

    // In new results, the active index would point to a different option.
    let list = Memo::new(move |_| results.get());
    Effect::new(move |_| {
        list.track();
        active.set(None);
    });
    let open_list = move |text: String| {
        active.set(None);
        open.set(true);
        on_search.run(text);
    };
    let close_list = move || {
        open.set(false);
        typed.set(None);
    };
    let select = Callback::new(move |value: Option<String>| {
        close_list();
        on_select.run(value);
    });
    let found = move |index: usize| match results.get_untracked() {
        SearchState::Found(found) => found.get(index).map(|found| found.value.clone()),
        SearchState::Searching | SearchState::Failed(_) => None,
    };
    let count = move || match results.get_untracked() {
        SearchState::Found(found) => found.len(),
        SearchState::Searching | SearchState::Failed(_) => 0,
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(movement) = movement(&event.key(), open.get_untracked(), active.get_untracked(), count())
        else {
            return;
        };
        event.prevent_default();
        match movement {
            Movement::Open => open_list(String::new()),
            Movement::To(index) => active.set(Some(index)),
            Movement::Select(index) => {
                if let Some(value) = found(index) {
                    select.run(Some(value));
                }
            }
            Movement::Close => close_list(),
        }
    };
    let on_blur = move |_| {
        let is_emptied = typed.get_untracked().is_some_and(|text| text.is_empty());
        if is_emptied { select.run(None) } else { close_list() }
    };
    let clear = move |_| {
        select.run(None);
        // If the field cannot take the focus, the focus stays where it is.
        drop(field.get().map(|field| field.focus()));
    };
    view! {
        <div class="combobox">
            <input
                id=id.clone()
                node_ref=field
                class="field__control combobox__input"
                type="text"
                role="combobox"
                autocomplete="off"
                spellcheck="false"
                aria-autocomplete="list"
                aria-expanded=move || open.get().to_string()
                aria-controls=list_id.clone()
                aria-activedescendant=move || active.get().filter(|_| open.get()).map(|at| option_id.run(at))
                aria-describedby=description_id(&id)
                aria-invalid=move || is_invalid.get().to_string()
                placeholder=move || texts.get().placeholder
                prop:value=move || typed.get().or_else(|| selected.get()).unwrap_or_default()
                on:input:target=move |event| {
                    typed.set(Some(event.target().value()));
                    open_list(event.target().value());
                }
                on:click=move |_| if !open.get_untracked() { open_list(String::new()) }
                on:keydown=on_key
                on:blur=on_blur
            />
            <Show when=move || selected.get().is_some()>
                <button
                    type="button"
                    class="combobox__clear"
                    aria-label=move || texts.get().clear
                    on:click=clear
                >
                    "×"
                </button>
            </Show>
            <List id=list_id label=label_id(&id) open texts results active option_id select />
        </div>
    }
}
