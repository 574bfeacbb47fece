//! The user's own API tokens, and the form to create one.

use leptos::html;
use leptos::prelude::*;

use super::new_token::NewToken;
use super::token_list::{Token, TokenList};
use crate::api::account::{ApiTokens, api_tokens};
use crate::browser;
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::empty::Empty;
use crate::ui::panel::Panel;

/// The panel.
#[component]
pub fn Tokens() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    // For an admin, the server lists all users' tokens. This panel shows only the admin's own.
    let tokens = LatestRequest::new(
        move || session.user().map(|user| user.viewer.user_id),
        move |owner: i64| async move {
            let response = session.run::<ApiTokens>(api_tokens::Variables {}).await?;
            let is_own = |token: &Token| token.user_id.parse() == Ok(owner);
            Ok(response.api_tokens.into_iter().filter(is_own).collect::<Vec<_>>())
        },
    );
    let failure = Signal::derive(move || tokens.response().and_then(Result::err));
    let known = Memo::new(move |_| tokens.response().and_then(Result::ok));
    let is_loading = Memo::new(move |_| tokens.response().is_none());
    let has_none = Memo::new(move |_| known.with(|known| known.as_ref().is_some_and(Vec::is_empty)));
    let list = NodeRef::<html::Ul>::new();
    let revoked = RwSignal::new(None::<String>);
    let on_revoked = Callback::new(move |name: String| {
        revoked.set(Some(name));
        tokens.reload();
        // The button that had the focus is gone.
        if let Some(list) = list.get_untracked() {
            browser::focus(&list);
        }
    });
    view! {
        <Panel title=Signal::derive(move || i18n.messages().tokens.title)>
            <p class="muted">{move || i18n.messages().tokens.lead}</p>
            <Show when=move || is_loading.get()>
                <p class="muted" role="status">{move || i18n.messages().frame.loading}</p>
            </Show>
            <Failed failure on_retry=move |()| tokens.reload() busy=tokens.is_loading() />
            <Show when=move || has_none.get()>
                <Empty
                    title=Signal::derive(move || i18n.messages().tokens.none.to_owned())
                    help=Signal::derive(move || i18n.messages().tokens.none_help)
                />
            </Show>
            <TokenList tokens=Signal::derive(move || known.get().unwrap_or_default()) element=list on_revoked />
            <p class="visually-hidden" role="status">
                {move || revoked.get().map(|name| (i18n.messages().tokens.revoke_done)(&name))}
            </p>
            <NewToken on_created=Callback::new(move |()| tokens.reload()) />
        </Panel>
    }
}
