//! What a combobox found, below its field.

use leptos::prelude::*;

use super::{Match, Matches, Words};

/// The list, while it is open; how many were found is also told to a screen reader.
#[component]
pub fn List(
    id: String,
    label: String,
    #[prop(into)] open: Signal<bool>,
    words: Signal<Words>,
    matches: Signal<Matches>,
    active: RwSignal<Option<usize>>,
    option_id: Callback<usize, String>,
    choose: Callback<Option<String>>,
) -> impl IntoView {
    let message = move || match matches.get() {
        Matches::Searching => Some(words.get().searching.to_owned()),
        Matches::Found(found) if found.is_empty() => Some(words.get().no_match.to_owned()),
        Matches::Found(_) => None,
        Matches::Failed(reason) => Some(reason),
    };
    let announced = move || {
        let count = || match matches.get() {
            Matches::Found(found) => (words.get().matches)(found.len()),
            Matches::Searching | Matches::Failed(_) => String::new(),
        };
        open.get().then(|| message().unwrap_or_else(count))
    };
    let option = move |(index, found): (usize, Match)| {
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
                // The field keeps the focus, or it would close the list before the click.
                on:mousedown=|event| event.prevent_default()
                on:mouseenter=move |_| active.set(Some(index))
                on:click=move |_| choose.run(Some(value.clone()))
            >
                {found.label}
                {found.hint.map(|hint| view! { <span class="combobox__hint">{hint}</span> })}
            </li>
        }
    };
    let options = move || match matches.get() {
        Matches::Found(found) => found.into_iter().enumerate().map(option).collect_view(),
        Matches::Searching | Matches::Failed(_) => Vec::new(),
    };
    view! {
        <div class="combobox__list" hidden=move || !open.get() on:mousedown=|event| event.prevent_default()>
            <ul id=id role="listbox" aria-labelledby=label>{options}</ul>
            {move || message().map(|text| view! { <p class="combobox__message" aria-hidden="true">{text}</p> })}
        </div>
        <span class="unseen" role="status">{announced}</span>
    }
}
