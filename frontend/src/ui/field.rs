//! A form control with its label, and with a hint or an error.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;

/// A new id, unique on the page.
pub fn field_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("field-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The id of a control's hint or error, for its `aria-describedby`.
pub fn description_id(id: &str) -> String {
    format!("{id}-description")
}

/// The id of a control's label, for `aria-labelledby`.
pub fn label_id(id: &str) -> String {
    format!("{id}-label")
}

/// A control with its label.
#[component]
pub fn Field(
    id: String,
    #[prop(into)] label: Signal<&'static str>,
    #[prop(optional, into)] hint: MaybeProp<String>,
    /// The error, shown in place of the hint.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// The control.
    children: Children,
) -> impl IntoView {
    let (description, label_id) = (description_id(&id), label_id(&id));
    view! {
        <div class="field">
            <label class="field__label" id=label_id for=id>
                {move || label.get()}
            </label>
            {children()}
            <div id=description aria-live="polite">
                {move || match error.get() {
                    Some(error) => Some(view! { <p class="field__error">{error}</p> }.into_any()),
                    None => hint.get().map(|hint| view! { <p class="muted">{hint}</p> }.into_any()),
                }}
            </div>
        </div>
    }
}
