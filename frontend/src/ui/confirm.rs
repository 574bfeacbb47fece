//! A button whose action has to be confirmed.

use leptos::html;
use leptos::prelude::*;

use super::button::{ActionButton, Variant};
use crate::browser;

/// The texts of the button and of its confirmation.
#[derive(Clone, Debug)]
pub struct ConfirmTexts {
    /// The button's label.
    pub action: &'static str,
    /// The accessible name of the button, with what it is for.
    pub full_action: String,
    /// What happens, shown with the confirmation.
    pub warning: String,
    pub confirm: &'static str,
    pub cancel: &'static str,
}

/// The button. A click replaces it with the confirmation.
#[component]
pub fn ConfirmButton(
    #[prop(into)] texts: Signal<ConfirmTexts>,
    /// Whether the action is in progress.
    #[prop(into)]
    busy: Signal<bool>,
    /// Whether the action is not possible now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Called when the action was confirmed.
    #[prop(into)]
    on_confirm: Callback<()>,
    /// Whether the confirmation is shown.
    is_confirming: RwSignal<bool>,
) -> impl IntoView {
    // Whether the focus is in the confirmation when it is closed.
    let returns_focus = StoredValue::new(false);
    let (action_button, confirm_button) = (NodeRef::<html::Button>::new(), NodeRef::<html::Button>::new());
    // The buttons replace each other, so the keyboard focus is moved to the new one.
    Effect::new(move |_| {
        if let Some(confirm_button) = confirm_button.get() {
            returns_focus.set_value(false);
            browser::focus(&confirm_button);
        }
    });
    Effect::new(move |_| {
        if let Some(action_button) = action_button.get().filter(|_| returns_focus.get_value()) {
            returns_focus.set_value(false);
            browser::focus(&action_button);
        }
    });
    let confirmation = move || {
        view! {
            <div class="form__row" role="group" aria-label=move || texts.get().full_action>
                <span class="muted">{move || texts.get().warning}</span>
                <ActionButton
                    variant=Variant::Bad
                    element=confirm_button
                    busy
                    on_press=move |()| {
                        returns_focus.set_value(true);
                        on_confirm.run(());
                    }
                >
                    {move || texts.get().confirm}
                </ActionButton>
                <ActionButton
                    variant=Variant::Small
                    on_press=move |()| {
                        returns_focus.set_value(true);
                        is_confirming.set(false);
                    }
                >
                    {move || texts.get().cancel}
                </ActionButton>
            </div>
        }
    };
    view! {
        <Show
            when=move || is_confirming.get()
            fallback=move || view! {
                <ActionButton
                    variant=Variant::Small
                    element=action_button
                    disabled
                    label=Signal::derive(move || Some(texts.get().full_action))
                    on_press=move |()| is_confirming.set(true)
                >
                    {move || texts.get().action}
                </ActionButton>
            }
        >
            {confirmation}
        </Show>
    }
}
