//! The account page: profile, preferences and API tokens, and for admins the data of a person.

mod new_token;
mod person_data;
mod preferences_panel;
mod profile;
mod token_list;
mod tokens;

use domain::access::Act;
use leptos::prelude::*;

use crate::pages::heading::Heading;
use crate::session::use_session;
use person_data::PersonData;
use preferences_panel::PreferencesPanel;
use profile::Profile;
use tokens::Tokens;

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let session = use_session();
    let may_have_tokens = Memo::new(move |_| session.may(Act::ManageOwnTokens));
    let manages_users = Memo::new(move |_| session.may(Act::ManageUsers));
    view! {
        <Heading title=|i18n| i18n.messages().account.title lead=|i18n| i18n.messages().account.lead />
        <div class="columns">
            <Profile />
            <PreferencesPanel />
        </div>
        <Show when=move || may_have_tokens.get()>
            <Tokens />
        </Show>
        <Show when=move || manages_users.get()>
            <PersonData />
        </Show>
    }
}
