//! An empty state: says that there is nothing to show, and what to do next.

use leptos::prelude::*;

/// An empty state.
#[component]
pub fn Empty(#[prop(into)] title: Signal<String>, #[prop(into)] help: Signal<&'static str>) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty__title">{move || title.get()}</p>
            <p class="muted">{move || help.get()}</p>
        </div>
    }
}
