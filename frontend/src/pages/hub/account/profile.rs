//! The user's profile.

use domain::Role;
use leptos::prelude::*;

use crate::i18n::messages::Account;
use crate::i18n::use_i18n;
use crate::pages::hub::frame::SignOut;
use crate::session::use_session;
use crate::ui::panel::Panel;

/// Name, email and role.
#[component]
pub fn Profile() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let user = Memo::new(move |_| session.user());
    let role = move || user.get().map(|user| role_name(user.viewer.role, &i18n.messages().account));
    view! {
        <Panel title=Signal::derive(move || i18n.messages().account.profile)>
            <dl class="facts">
                <dt>{move || i18n.messages().account.name}</dt>
                <dd>{move || user.get().map(|user| user.name)}</dd>
                <dt>{move || i18n.messages().account.email}</dt>
                <dd>{move || user.get().map(|user| user.email)}</dd>
                <dt>{move || i18n.messages().account.role}</dt>
                <dd>{role}</dd>
            </dl>
            <div>
                <SignOut />
            </div>
        </Panel>
    }
}

fn role_name(role: Role, texts: &Account) -> &'static str {
    match role {
        Role::Admin => texts.role_admin,
        Role::TeacherAdmin => texts.role_teacher_admin,
        Role::Teacher => texts.role_teacher,
        Role::Student => texts.role_student,
        Role::Service => texts.role_service,
    }
}
