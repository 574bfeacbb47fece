//! A form's one clear action.

use leptos::prelude::*;

/// Submits the form around it; while the form is busy it turns, and takes no second click.
#[component]
pub fn SubmitButton(
    /// Whether the form's work is under way.
    #[prop(into)]
    busy: Signal<bool>,
    /// Whether there is nothing to submit yet.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The id of what says why it is disabled.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// The action, as a verb.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="submit"
            class="button"
            disabled=move || disabled.get() || busy.get()
            aria-busy=move || busy.get().to_string()
            aria-describedby=described_by
        >
            <Show when=move || busy.get()>
                <span class="button__spinner" aria-hidden="true"></span>
            </Show>
            {children()}
        </button>
    }
}
