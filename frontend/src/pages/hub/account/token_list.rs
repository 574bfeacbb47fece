//! The API tokens there are.

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

/// The tokens, each with a way to revoke it.
#[component]
pub fn TokenList(
    /// The tokens.
    #[prop(into)]
    tokens: Signal<Vec<Token>>,
    /// The list, for whoever moves the focus here.
    element: NodeRef<html::Ul>,
    /// Called with the name of a token that was revoked.
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

/// One token.
#[component]
fn TokenRow(token: Token, on_revoked: Callback<String>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let (id, name) = (token.id.clone(), token.name.clone());
    let state = State::of(&token);
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
    view! {
        <li class="tokens__one">
            <div>
                <p>
                    {name.clone()} " "
                    <span class=state.class()>{move || state.name(&i18n.messages().tokens)}</span>
                </p>
                <p class="soft">{facts}</p>
            </div>
            {(state != State::Revoked).then(|| view! { <Revoke id name on_revoked /> })}
        </li>
    }
}

/// Whether a token can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    fn of(token: &Token) -> Self {
        let is_over = |moment: &String| Date::parse(moment) <= Date::now();
        if token.revoked_at.is_some() {
            Self::Revoked
        } else if token.expires_at.as_ref().is_some_and(is_over) {
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

    fn name(self, words: &Tokens) -> &'static str {
        match self {
            Self::Active => words.active,
            Self::Expired => words.expired,
            Self::Revoked => words.revoked,
        }
    }
}
