//! How far something has come, as a bar with its words.

use leptos::prelude::*;

use super::field::{field_id, label_id};

/// A bar.
#[component]
pub fn Meter(
    /// What comes along.
    label: &'static str,
    /// How far, in words.
    #[prop(into)]
    words: Signal<String>,
    /// How much is done, and of how much.
    #[prop(into)]
    done: Signal<(u64, u64)>,
) -> impl IntoView {
    let id = label_id(&field_id());
    view! {
        <div class="meter">
            <p class="meter__words">
                <span id=id.clone() class="meter__label">{label}</span>
                " "
                <span class="soft">{move || words.get()}</span>
            </p>
            <progress
                class="meter__bar"
                aria-labelledby=id
                aria-valuetext=move || words.get()
                max=move || done.get().1.max(1).to_string()
                prop:value=move || done.get().0.to_string()
            ></progress>
        </div>
    }
}
