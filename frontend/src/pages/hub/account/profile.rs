//! Who one is here.

use domain::Role;
use leptos::prelude::*;

use crate::i18n::messages::Account;
use crate::i18n::use_i18n;
use crate::pages::hub::frame::SignOut;
use crate::session::use_session;
use crate::ui::panel::Panel;

/// Name, e-mail and role.
#[component]
pub fn Profile() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let person = Memo::new(move |_| session.person());
    let role = move || person.get().map(|person| role_name(person.viewer.role, &i18n.messages().account));
    view! {
        <Panel title=Signal::derive(move || i18n.messages().account.profile)>
            <dl class="facts">
                <dt>{move || i18n.messages().account.name}</dt>
                <dd>{move || person.get().map(|person| person.name)}</dd>
                <dt>{move || i18n.messages().account.email}</dt>
                <dd>{move || person.get().map(|person| person.email)}</dd>
                <dt>{move || i18n.messages().account.role}</dt>
                <dd>{role}</dd>
            </dl>
            <div>
                <SignOut />
            </div>
        </Panel>
    }
}

fn role_name(role: Role, words: &Account) -> &'static str {
    match role {
        Role::Admin => words.role_admin,
        Role::TeacherAdmin => words.role_teacher_admin,
        Role::Teacher => words.role_teacher,
        Role::Student => words.role_student,
        Role::Service => words.role_service,
    }
}
