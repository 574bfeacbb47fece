//! The button that revokes a token, with its confirmation.

use leptos::html;
use leptos::prelude::*;

use crate::api::account::{RevokeApiToken, revoke_api_token};
use crate::browser;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::button::{ActionButton, Variant};

/// The button. A click replaces it with the confirmation.
#[component]
pub fn Revoke(
    id: String,
    name: String,
    /// Called with the token's name after it was revoked.
    on_revoked: Callback<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let name = StoredValue::new(name);
    let is_confirming = RwSignal::new(false);
    let was_confirming = StoredValue::new(false);
    let (revoke_button, confirm_button) = (NodeRef::<html::Button>::new(), NodeRef::<html::Button>::new());
    // The buttons replace each other, so the keyboard focus is moved to the new one.
    Effect::new(move |_| {
        if let Some(confirm_button) = confirm_button.get() {
            was_confirming.set_value(true);
            browser::focus(&confirm_button);
        }
    });
    Effect::new(move |_| {
        if let Some(revoke_button) = revoke_button.get().filter(|_| was_confirming.get_value()) {
            browser::focus(&revoke_button);
        }
    });
    let revoke = Action::new_local(move |(): &()| {
        let variables = revoke_api_token::Variables { id: id.clone() };
        async move {
            session.run::<RevokeApiToken>(variables).await?;
            on_revoked.run(name.get_value());
            Ok(())
        }
    });
    let failure = Signal::derive(move || revoke.value().get().and_then(Result::err));
    let confirmation = move || {
        view! {
            <div class="form__row" role="group" aria-label=move || (i18n.messages().tokens.revoke)(&name.get_value())>
                <span class="muted">{move || i18n.messages().tokens.revoke_warning}</span>
                <ActionButton
                    variant=Variant::Bad
                    element=confirm_button
                    busy=revoke.pending()
                    on_press=move |()| {
                        revoke.dispatch(());
                    }
                >
                    {move || i18n.messages().tokens.revoke_confirm}
                </ActionButton>
                <ActionButton variant=Variant::Small on_press=move |()| is_confirming.set(false)>
                    {move || i18n.messages().tokens.cancel}
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
                    element=revoke_button
                    label=Signal::derive(move || Some((i18n.messages().tokens.revoke)(&name.get_value())))
                    on_press=move |()| is_confirming.set(true)
                >
                    {move || i18n.messages().tokens.revoke_short}
                </ActionButton>
            }
        >
            {confirmation}
        </Show>
        <Failed failure />
    }
}
