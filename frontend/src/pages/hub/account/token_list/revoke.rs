//! Revoking a token: asked for, confirmed, done.

use leptos::html;
use leptos::prelude::*;

use crate::api::account::{RevokeApiToken, revoke_api_token};
use crate::browser;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::button::{ActionButton, Look};

/// The button, and the question that takes its place.
#[component]
pub fn Revoke(
    /// The token's id.
    id: String,
    /// The token's name.
    name: String,
    /// Called with the name when it was revoked.
    on_revoked: Callback<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let name = StoredValue::new(name);
    let is_asking = RwSignal::new(false);
    let was_asking = StoredValue::new(false);
    let (ask, confirm) = (NodeRef::<html::Button>::new(), NodeRef::<html::Button>::new());
    // Each button takes the other's place, and the keyboard's focus with it.
    Effect::new(move |_| {
        if let Some(confirm) = confirm.get() {
            was_asking.set_value(true);
            browser::focus(&confirm);
        }
    });
    Effect::new(move |_| {
        if let Some(ask) = ask.get().filter(|_| was_asking.get_value()) {
            browser::focus(&ask);
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
    let question = move || {
        view! {
            <div class="form__row" role="group" aria-label=move || (i18n.messages().tokens.revoke)(&name.get_value())>
                <span class="soft">{move || i18n.messages().tokens.revoke_sure}</span>
                <ActionButton
                    look=Look::Bad
                    element=confirm
                    busy=revoke.pending()
                    on_press=move |()| {
                        revoke.dispatch(());
                    }
                >
                    {move || i18n.messages().tokens.revoke_yes}
                </ActionButton>
                <ActionButton look=Look::Small on_press=move |()| is_asking.set(false)>
                    {move || i18n.messages().tokens.cancel}
                </ActionButton>
            </div>
        }
    };
    view! {
        <Show
            when=move || is_asking.get()
            fallback=move || view! {
                <ActionButton
                    look=Look::Small
                    element=ask
                    label=Signal::derive(move || Some((i18n.messages().tokens.revoke)(&name.get_value())))
                    on_press=move |()| is_asking.set(true)
                >
                    {move || i18n.messages().tokens.revoke_short}
                </ActionButton>
            }
        >
            {question}
        </Show>
        <Failed failure />
    }
}
