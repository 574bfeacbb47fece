//! A progress bar with a label and a text.

use leptos::prelude::*;

use super::field::{field_id, label_id};

/// A progress bar.
#[component]
pub fn Meter(
    label: &'static str,
    /// The progress as text.
    #[prop(into)]
    text: Signal<String>,
    /// The amount done, and the total.
    #[prop(into)]
    done: Signal<(u64, u64)>,
) -> impl IntoView {
    let id = label_id(&field_id());
    view! {
        <div class="meter">
            <p class="meter__text">
                <span id=id.clone() class="meter__label">{label}</span>
                " "
                <span class="muted">{move || text.get()}</span>
            </p>
            <progress
                class="meter__bar"
                aria-labelledby=id
                aria-valuetext=move || text.get()
                max=move || done.get().1.max(1).to_string()
                prop:value=move || done.get().0.to_string()
            ></progress>
        </div>
    }
}
