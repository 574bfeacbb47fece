//! The list of a combobox's search results.

use leptos::prelude::*;

use super::{ComboboxTexts, SearchResult, SearchState};

/// The list of results. It is hidden unless open, and the number of results is announced to screen readers.
#[component]
pub fn List(
    id: String,
    label: String,
    #[prop(into)] open: Signal<bool>,
    texts: Signal<ComboboxTexts>,
    results: Signal<SearchState>,
    active: RwSignal<Option<usize>>,
    option_id: Callback<usize, String>,
    select: Callback<Option<String>>,
) -> impl IntoView {
    let message = move || match results.get() {
        SearchState::Searching => Some(texts.get().searching.to_owned()),
        SearchState::Found(found) if found.is_empty() => Some(texts.get().no_match.to_owned()),
        SearchState::Found(_) => None,
        SearchState::Failed(reason) => Some(reason),
    };
    let announced = move || {
        let count = || match results.get() {
            SearchState::Found(found) => (texts.get().results)(found.len()),
            SearchState::Searching | SearchState::Failed(_) => String::new(),
        };
        open.get().then(|| message().unwrap_or_else(count))
    };
    let option = move |(index, found): (usize, SearchResult)| {
        let is_active = move || active.get() == Some(index);
        let value = found.value;
        let node = NodeRef::<leptos::html::Li>::new();
        Effect::new(move |_| {
            if let Some(node) = node.get().filter(|_| is_active()) {
                let nearest = web_sys::ScrollIntoViewOptions::new();
                nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
                node.scroll_into_view_with_scroll_into_view_options(&nearest);
            }
        });
        view! {
            <li
                id=option_id.run(index)
                node_ref=node
                class="combobox__option"
                class:combobox__option--active=is_active
                role="option"
                aria-selected=move || is_active().to_string()
                // Otherwise the field would lose the focus, and close the list before the click.
                on:mousedown=|event| event.prevent_default()
                on:mouseenter=move |_| active.set(Some(index))
                on:click=move |_| select.run(Some(value.clone()))
            >
                {found.label}
                {found.hint.map(|hint| view! { <span class="combobox__hint">{hint}</span> })}
            </li>
        }
    };
    let options = move || match results.get() {
        SearchState::Found(found) => found.into_iter().enumerate().map(option).collect_view(),
        SearchState::Searching | SearchState::Failed(_) => Vec::new(),
    };
    view! {
        <div class="combobox__list" hidden=move || !open.get() on:mousedown=|event| event.prevent_default()>
            <ul id=id role="listbox" aria-labelledby=label>{options}</ul>
            {move || message().map(|text| view! { <p class="combobox__message" aria-hidden="true">{text}</p> })}
        </div>
        <span class="visually-hidden" role="status">{announced}</span>
    }
}
