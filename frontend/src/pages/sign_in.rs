//! Signing in.

use domain::failure::ErrorCode;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::failed::Failed;
use super::preferences::Preferences;
use crate::api::failure::Failure;
use crate::browser;
use crate::i18n::use_i18n;
use crate::session::{Ending, use_session};
use crate::ui::brand::Brand;
use crate::ui::button::SubmitButton;
use crate::ui::field::{Field, field_id};
use crate::ui::notice::{Notice, Tone};

/// The form, and why it is shown when a session ended.
#[component]
pub fn SignIn(
    /// How it came that nobody is signed in.
    ending: Ending,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let sign_in = Action::new_local(move |(email, password): &(String, String)| {
        session.sign_in(email.clone(), password.clone())
    });
    let failure = Memo::new(move |_| sign_in.value().get().and_then(Result::err));
    let wrong = move || failure.get().filter(is_about_credentials);
    let other = Signal::derive(move || failure.get().filter(|failure| !is_about_credentials(failure)));
    let (email_id, password_id) = (field_id(), field_id());
    Effect::new(move |_| browser::set_title(&format!("{} · DataPorter Hub", i18n.messages().sign_in.title)));

    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        sign_in.dispatch((email.get_untracked(), password.get_untracked()));
    };
    view! {
        <main class="door">
            <form class="door__card" on:submit=submit>
                <Brand />
                <div>
                    <h1>{move || i18n.messages().sign_in.title}</h1>
                    <p class="soft">{move || i18n.messages().sign_in.lead}</p>
                </div>
                {move || {
                    let words = &i18n.messages().sign_in;
                    let told = match ending {
                        Ending::Never => None,
                        Ending::Asked => Some((Tone::Ok, words.signed_out)),
                        Ending::Expired => Some((Tone::Warn, words.ended)),
                    };
                    told.map(|(tone, text)| view! { <Notice tone=tone>{text}</Notice> })
                }}
                <Field id=email_id.clone() label=Signal::derive(move || i18n.messages().sign_in.email)>
                    <input
                        id=email_id
                        class="field__control"
                        type="email"
                        name="email"
                        autocomplete="username"
                        required
                        bind:value=email
                    />
                </Field>
                <Field id=password_id.clone() label=Signal::derive(move || i18n.messages().sign_in.password)>
                    <input
                        id=password_id
                        class="field__control"
                        type="password"
                        name="password"
                        autocomplete="current-password"
                        required
                        bind:value=password
                    />
                </Field>
                {move || {
                    let words = &i18n.messages().sign_in;
                    wrong().map(|_| view! { <Notice tone=Tone::Bad help=words.wrong_help>{words.wrong}</Notice> })
                }}
                <Failed failure=other />
                <SubmitButton busy=sign_in.pending()>{move || i18n.messages().sign_in.submit}</SubmitButton>
            </form>
            <Preferences />
        </main>
    }
}

/// Whether the server refused what was typed, without saying which part of it.
fn is_about_credentials(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => {
            matches!(refusal.code, ErrorCode::Unauthenticated | ErrorCode::BadUserInput)
        }
        Failure::Unreachable | Failure::Unreadable => false,
    }
}
