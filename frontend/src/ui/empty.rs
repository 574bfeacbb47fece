//! Says that there is nothing, and what to do next.

use leptos::prelude::*;

/// An empty state.
#[component]
pub fn Empty(
    /// What there is none of.
    #[prop(into)]
    title: Signal<String>,
    /// What to do next.
    #[prop(into)]
    help: Signal<&'static str>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty__title">{move || title.get()}</p>
            <p class="soft">{move || help.get()}</p>
        </div>
    }
}
