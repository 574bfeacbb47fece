//! The account page: profile, preferences and API tokens.

mod new_token;
mod preferences_panel;
mod profile;
mod token_list;
mod tokens;

use domain::access::Act;
use leptos::prelude::*;

use crate::pages::heading::Heading;
use crate::session::use_session;
use preferences_panel::PreferencesPanel;
use profile::Profile;
use tokens::Tokens;

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let session = use_session();
    let may_have_tokens = Memo::new(move |_| session.may(Act::ManageOwnTokens));
    view! {
        <Heading title=|i18n| i18n.messages().account.title lead=|i18n| i18n.messages().account.lead />
        <div class="columns">
            <Profile />
            <PreferencesPanel />
        </div>
        <Show when=move || may_have_tokens.get()>
            <Tokens />
        </Show>
    }
}
