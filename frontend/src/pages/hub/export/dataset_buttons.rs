//! The choice of the dataset.

use leptos::prelude::*;

use super::state::use_export;
use crate::i18n::use_i18n;

/// A button for each dataset that the user may see, and the description of the selected one.
#[component]
pub fn DatasetButtons() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    view! {
        <div class="dataset-list" role="group" aria-label=move || i18n.messages().export.dataset>
            <For each=move || state.datasets() key=Clone::clone let(dataset)>
                <button
                    type="button"
                    class="dataset-list__item"
                    aria-pressed=move || (state.dataset() == Some(dataset)).to_string()
                    on:click=move |_| state.change(|page| page.select_dataset(dataset))
                >
                    {move || i18n.text(dataset.describe().title)}
                </button>
            </For>
        </div>
        <p class="muted">{move || state.dataset().map(|dataset| i18n.text(dataset.describe().about))}</p>
    }
}
