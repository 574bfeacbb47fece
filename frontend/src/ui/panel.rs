//! A section of a page, with a heading.

use leptos::prelude::*;

/// A panel.
#[component]
pub fn Panel(#[prop(into)] title: Signal<&'static str>, children: Children) -> impl IntoView {
    view! {
        <section class="panel" aria-label=move || title.get()>
            <header class="panel__head">
                <h2>{move || title.get()}</h2>
            </header>
            <div class="panel__body">{children()}</div>
        </section>
    }
}
