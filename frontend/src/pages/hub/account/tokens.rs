//! One's own API tokens: those there are, and the making of new ones.

use leptos::prelude::*;

use super::new_token::NewToken;
use super::token_list::TokenList;
use crate::api::account::{ApiTokens, api_tokens};
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;

/// The panel.
#[component]
pub fn Tokens() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let tokens = LocalResource::new(move || async move {
        session.run::<ApiTokens>(api_tokens::Variables {}).await.map(|answer| answer.api_tokens)
    });
    let reload = Callback::new(move |()| tokens.refetch());
    let list = move || match tokens.get() {
        None => view! { <p class="soft" role="status">{i18n.messages().frame.loading}</p> }.into_any(),
        Some(Err(failure)) => view! {
            <Failed failure=Signal::derive(move || Some(failure.clone())) />
            <div>
                <button type="button" class="button button--quiet" on:click=move |_| reload.run(())>
                    {move || i18n.messages().frame.retry}
                </button>
            </div>
        }
        .into_any(),
        Some(Ok(tokens)) if tokens.is_empty() => view! {
            <Empty
                title=Signal::derive(move || i18n.messages().tokens.none)
                help=Signal::derive(move || i18n.messages().tokens.none_help)
            />
        }
        .into_any(),
        Some(Ok(tokens)) => view! { <TokenList tokens on_change=reload /> }.into_any(),
    };
    view! {
        <Panel title=Signal::derive(move || i18n.messages().tokens.title)>
            <p class="soft">{move || i18n.messages().tokens.lead}</p>
            {list}
            <NewToken on_created=reload />
        </Panel>
    }
}
