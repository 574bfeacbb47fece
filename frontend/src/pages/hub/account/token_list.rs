//! The API tokens there are.

use leptos::prelude::*;

use crate::api::account::api_tokens::ApiTokensApiTokens as Token;
use crate::api::account::{RevokeApiToken, revoke_api_token};
use crate::i18n::format::Format;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;

use super::new_token::scope_name;

/// The tokens, each with a way to revoke it.
#[component]
pub fn TokenList(
    /// The tokens.
    tokens: Vec<Token>,
    /// Called after a token was revoked.
    on_change: Callback<()>,
) -> impl IntoView {
    view! {
        <ul class="tokens">
            {tokens.into_iter().map(|token| view! { <TokenRow token on_change /> }).collect_view()}
        </ul>
    }
}

/// One token.
#[component]
fn TokenRow(token: Token, on_change: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let asked = RwSignal::new(false);
    let id = token.id.clone();
    let name = StoredValue::new(token.name.clone());
    let is_revoked = token.revoked_at.is_some();
    let revoke = Action::new_local(move |(): &()| {
        let variables = revoke_api_token::Variables { id: id.clone() };
        async move {
            session.run::<RevokeApiToken>(variables).await?;
            on_change.run(());
            Ok(())
        }
    });
    let failure = Signal::derive(move || revoke.value().get().and_then(Result::err));
    let facts = move || {
        let words = &i18n.messages().tokens;
        let format = Format::new(i18n.locale(), &session.timezone());
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope_name(scope.0, words)).collect();
        let expiry = match &token.expires_at {
            Some(moment) => (words.expires)(&format.moment(moment)),
            None => words.expires_never.to_owned(),
        };
        let used = match &token.last_used_at {
            Some(moment) => (words.used)(&format.moment(moment)),
            None => words.never_used.to_owned(),
        };
        format!("{}… · {} · {expiry} · {used}", token.prefix, scopes.join(", "))
    };
    let state = move || {
        let words = &i18n.messages().tokens;
        if is_revoked { ("tag", words.revoked) } else { ("tag tag--ok", words.active) }
    };
    let ask = view! {
        <Show
            when=move || asked.get()
            fallback=move || view! {
                <button
                    type="button"
                    class="button button--quiet button--small"
                    aria-label=move || (i18n.messages().tokens.revoke)(&name.get_value())
                    on:click=move |_| asked.set(true)
                >
                    {move || i18n.messages().tokens.revoke_short}
                </button>
            }
        >
            <div class="form__row" role="group">
                <span class="soft">{move || i18n.messages().tokens.revoke_sure}</span>
                <button
                    type="button"
                    class="button button--bad button--small"
                    autofocus
                    disabled=revoke.pending()
                    on:click=move |_| {
                        revoke.dispatch(());
                    }
                >
                    {move || i18n.messages().tokens.revoke_yes}
                </button>
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| asked.set(false)
                >
                    {move || i18n.messages().tokens.cancel}
                </button>
            </div>
        </Show>
    };
    view! {
        <li class="tokens__one">
            <div>
                <p>
                    {name.get_value()} " " <span class=move || state().0>{move || state().1}</span>
                </p>
                <p class="soft">{facts}</p>
            </div>
            {(!is_revoked).then_some(ask)}
            <Failed failure />
        </li>
    }
}
