//! A labelled control, with a hint and with what is wrong with it.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;

/// An id that no other control of the page has.
pub fn field_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("field-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The id of the words beside a control, for its `aria-describedby`.
pub fn words_id(id: &str) -> String {
    format!("{id}-words")
}

/// The id of a control's label, for what else is named by it.
pub fn label_id(id: &str) -> String {
    format!("{id}-label")
}

/// A control with its label.
#[component]
pub fn Field(
    /// The control's id.
    id: String,
    /// What the control is for.
    #[prop(into)]
    label: Signal<&'static str>,
    /// What to type.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong with what was typed.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// The control itself.
    children: Children,
) -> impl IntoView {
    let (words, label_id) = (words_id(&id), label_id(&id));
    view! {
        <div class="field">
            <label class="field__label" id=label_id for=id>
                {move || label.get()}
            </label>
            {children()}
            <div id=words aria-live="polite">
                {move || match error.get() {
                    Some(error) => Some(view! { <p class="field__error">{error}</p> }.into_any()),
                    None => hint.get().map(|hint| view! { <p class="soft">{hint}</p> }.into_any()),
                }}
            </div>
        </div>
    }
}
