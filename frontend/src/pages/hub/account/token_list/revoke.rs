//! The button that revokes a token, with its confirmation.

use leptos::prelude::*;

use crate::api::account::{RevokeApiToken, revoke_api_token};
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::confirm::{ConfirmButton, ConfirmTexts};

/// The button.
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
    let revoke = Action::new_local(move |(): &()| {
        let variables = revoke_api_token::Variables { id: id.clone() };
        async move {
            session.run::<RevokeApiToken>(variables).await?;
            on_revoked.run(name.get_value());
            Ok(())
        }
    });
    let failure = Signal::derive(move || revoke.value().get().and_then(Result::err));
    let texts = Signal::derive(move || {
        let texts = &i18n.messages().tokens;
        ConfirmTexts {
            action: texts.revoke_short,
            full_action: (texts.revoke)(&name.get_value()),
            warning: texts.revoke_warning.to_owned(),
            confirm: texts.revoke_confirm,
            cancel: texts.cancel,
        }
    });
    view! {
        <ConfirmButton
            texts
            busy=revoke.pending()
            is_confirming=RwSignal::new(false)
            on_confirm=move |()| {
                revoke.dispatch(());
            }
        />
        <Failed failure />
    }
}
