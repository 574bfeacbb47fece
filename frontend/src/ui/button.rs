//! Buttons. A busy button keeps the keyboard's focus, which a disabled one would lose: it only does nothing.

use leptos::html;
use leptos::prelude::*;

/// How much a button stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// An action among others.
    Quiet,
    /// An action beside something small.
    Small,
    /// An action that takes something away for good.
    Bad,
}

impl Look {
    const fn class(self) -> &'static str {
        match self {
            Self::Quiet => "button button--quiet",
            Self::Small => "button button--quiet button--small",
            Self::Bad => "button button--bad button--small",
        }
    }
}

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
    let is_inert = move || disabled.get() || busy.get();
    view! {
        <button
            type="submit"
            class="button"
            aria-disabled=move || is_inert().to_string()
            aria-busy=move || busy.get().to_string()
            aria-describedby=move || described_by.filter(|_| disabled.get())
            // Enter in a field of the form clicks here too.
            on:click=move |event| {
                if untrack(is_inert) {
                    event.prevent_default();
                }
            }
        >
            <Spinner busy />
            {children()}
        </button>
    }
}

/// Does one thing; while that is under way it turns, and takes no second click.
#[component]
pub fn ActionButton(
    /// How much it stands out.
    look: Look,
    /// Whether its work is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Whether it can do nothing now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The id of what says why it is disabled.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// What it does, where its words alone do not say it.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    /// The element, for whoever moves the focus here.
    #[prop(optional)]
    element: NodeRef<html::Button>,
    /// Called when it is pressed.
    #[prop(into)]
    on_press: Callback<()>,
    /// The action, as a verb.
    children: Children,
) -> impl IntoView {
    let is_inert = move || disabled.get() || busy.get();
    view! {
        <button
            type="button"
            node_ref=element
            class=look.class()
            aria-label=move || label.get()
            aria-disabled=move || is_inert().to_string()
            aria-busy=move || busy.get().to_string()
            aria-describedby=move || described_by.filter(|_| disabled.get())
            on:click=move |_| {
                if !untrack(is_inert) {
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
