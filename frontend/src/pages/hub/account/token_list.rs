//! The list of API tokens.

mod revoke;

use js_sys::Date;
use leptos::html;
use leptos::prelude::*;

pub use crate::api::account::api_tokens::ApiTokensApiTokens as Token;
use crate::i18n::format::Format;
use crate::i18n::messages::Tokens;
use crate::i18n::use_i18n;
use crate::session::use_session;

use super::new_token::scope_name;
use revoke::Revoke;

/// The tokens, each with a button to revoke it.
#[component]
pub fn TokenList(
    #[prop(into)] tokens: Signal<Vec<Token>>,
    /// The list's element, so that the focus can be moved to it.
    element: NodeRef<html::Ul>,
    /// Called with the name of a revoked token.
    on_revoked: Callback<String>,
) -> impl IntoView {
    view! {
        <ul class="tokens" node_ref=element tabindex="-1">
            <For each=move || tokens.get() key=|token| (token.id.clone(), token.revoked_at.clone()) let(token)>
                <TokenRow token on_revoked />
            </For>
        </ul>
    }
}

/// A token.
#[component]
fn TokenRow(token: Token, on_revoked: Callback<String>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let (id, name) = (token.id.clone(), token.name.clone());
    let state = State::of(&token);
    let facts = move || {
        let texts = &i18n.messages().tokens;
        let format = Format::new(i18n.locale(), &session.timezone());
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope_name(scope.0, texts)).collect();
        let expiry = match &token.expires_at {
            Some(timestamp) => (texts.expires)(&format.timestamp(timestamp)),
            None => texts.expires_never.to_owned(),
        };
        let used = match &token.last_used_at {
            Some(timestamp) => (texts.last_used)(&format.timestamp(timestamp)),
            None => texts.never_used.to_owned(),
        };
        format!("{}… · {} · {expiry} · {used}", token.prefix, scopes.join(", "))
    };
    view! {
        <li class="tokens__item">
            <div>
                <p>
                    {name.clone()} " "
                    <span class=state.class()>{move || state.name(&i18n.messages().tokens)}</span>
                </p>
                <p class="muted">{facts}</p>
            </div>
            {(state != State::Revoked).then(|| view! { <Revoke id name on_revoked /> })}
        </li>
    }
}

/// The state of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    fn of(token: &Token) -> Self {
        let is_past = |timestamp: &String| Date::parse(timestamp) <= Date::now();
        if token.revoked_at.is_some() {
            Self::Revoked
        } else if token.expires_at.as_ref().is_some_and(is_past) {
            Self::Expired
        } else {
            Self::Active
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Active => "tag tag--ok",
            Self::Expired => "tag tag--warn",
            Self::Revoked => "tag",
        }
    }

    fn name(self, texts: &Tokens) -> &'static str {
        match self {
            Self::Active => texts.active,
            Self::Expired => texts.expired,
            Self::Revoked => texts.revoked,
        }
    }
}
