//! Buttons. They are disabled with `aria-disabled`, since `disabled` would make them lose the keyboard focus.

use leptos::html;
use leptos::prelude::*;

/// The visual style of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// A secondary action.
    Quiet,
    /// A secondary action in a small space.
    Small,
    /// A destructive action.
    Bad,
}

impl Variant {
    const fn class(self) -> &'static str {
        match self {
            Self::Quiet => "button button--quiet",
            Self::Small => "button button--quiet button--small",
            Self::Bad => "button button--bad button--small",
        }
    }
}

/// Submits the enclosing form. While busy, it shows a spinner and ignores clicks.
#[component]
pub fn SubmitButton(
    /// Whether the form is being submitted.
    #[prop(into)]
    busy: Signal<bool>,
    /// Whether the form cannot be submitted now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The id of the element that says why it is disabled.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// The label, a verb.
    children: Children,
) -> impl IntoView {
    let is_disabled = move || disabled.get() || busy.get();
    view! {
        <button
            type="submit"
            class="button"
            aria-disabled=move || is_disabled().to_string()
            aria-busy=move || busy.get().to_string()
            aria-describedby=move || described_by.filter(|_| disabled.get())
            // The Enter key in a field of the form triggers this click too.
            on:click=move |event| {
                if untrack(is_disabled) {
                    event.prevent_default();
                }
            }
        >
            <Spinner busy />
            {children()}
        </button>
    }
}

/// Triggers an action. While busy, it shows a spinner and ignores clicks.
#[component]
pub fn ActionButton(
    variant: Variant,
    /// Whether the action is in progress.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Whether the action is not possible now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The id of the element that says why it is disabled.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// The accessible name, if the visible label is not enough.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    /// The element, so that the focus can be moved to it.
    #[prop(optional)]
    element: NodeRef<html::Button>,
    #[prop(into)] on_press: Callback<()>,
    /// The label, a verb.
    children: Children,
) -> impl IntoView {
    let is_disabled = move || disabled.get() || busy.get();
    view! {
        <button
            type="button"
            node_ref=element
            class=variant.class()
            aria-label=move || label.get()
            aria-disabled=move || is_disabled().to_string()
            aria-busy=move || busy.get().to_string()
            aria-describedby=move || described_by.filter(|_| disabled.get())
            on:click=move |_| {
                if !untrack(is_disabled) {
                    on_press.run(());
                }
            }
        >
            <Spinner busy />
            {children()}
        </button>
    }
}

#[component]
fn Spinner(busy: Signal<bool>) -> impl IntoView {
    view! {
        <Show when=move || busy.get()>
            <span class="button__spinner" aria-hidden="true"></span>
        </Show>
    }
}
