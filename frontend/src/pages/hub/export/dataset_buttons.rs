//! Choosing the dataset.

use leptos::prelude::*;

use super::state::use_export;
use crate::i18n::use_i18n;

/// A button for each dataset that the person may see, and what the chosen one holds.
#[component]
pub fn DatasetButtons() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    view! {
        <div class="sets" role="group" aria-label=move || i18n.messages().export.dataset>
            <For each=move || state.datasets() key=Clone::clone let(dataset)>
                <button
                    type="button"
                    class="sets__one"
                    aria-pressed=move || (state.dataset() == Some(dataset)).to_string()
                    on:click=move |_| state.change(|page| page.choose(dataset))
                >
                    {move || i18n.text(dataset.describe().title)}
                </button>
            </For>
        </div>
        <p class="soft">{move || state.dataset().map(|dataset| i18n.text(dataset.describe().about))}</p>
    }
}
