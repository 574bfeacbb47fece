//! A surface with a heading, for one thing that a page is about.

use leptos::prelude::*;

/// A panel.
#[component]
pub fn Panel(
    /// What it is about.
    #[prop(into)]
    title: Signal<&'static str>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="panel" aria-label=move || title.get()>
            <header class="panel__head">
                <h2>{move || title.get()}</h2>
            </header>
            <div class="panel__body">{children()}</div>
        </section>
    }
}
