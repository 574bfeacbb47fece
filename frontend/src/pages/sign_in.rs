//! Signing in.

use domain::failure::ErrorCode;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::failed::Failed;
use super::heading::Heading;
use super::preferences::Preferences;
use crate::api::failure::Failure;
use crate::i18n::{I18n, use_i18n};
use crate::session::{Ending, use_session};
use crate::ui::brand::Brand;
use crate::ui::button::SubmitButton;
use crate::ui::field::{Field, field_id, words_id};
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
    let tried = RwSignal::new(false);
    let missing = Missing { email, password, tried };
    let wrong = move || failure.get().filter(is_about_credentials);
    let other = Signal::derive(move || failure.get().filter(|failure| !is_about_credentials(failure)));
    let (email_id, password_id) = (field_id(), field_id());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        tried.set(true);
        if untrack(|| missing.email(i18n).or_else(|| missing.password(i18n))).is_none() {
            sign_in.dispatch((email.get_untracked().trim().to_owned(), password.get_untracked()));
        }
    };
    view! {
        <main class="door">
            <form class="door__card" novalidate on:submit=submit>
                <Brand />
                <Heading title=|i18n| i18n.messages().sign_in.title lead=|i18n| i18n.messages().sign_in.lead />
                {move || {
                    let words = &i18n.messages().sign_in;
                    let told = match ending {
                        Ending::Never => None,
                        Ending::Asked => Some((Tone::Ok, words.signed_out)),
                        Ending::Expired => Some((Tone::Warn, words.ended)),
                    };
                    told.map(|(tone, text)| view! { <Notice tone=tone>{text}</Notice> })
                }}
                <Field
                    id=email_id.clone()
                    label=Signal::derive(move || i18n.messages().sign_in.email)
                    error=Signal::derive(move || missing.email(i18n).map(str::to_owned))
                >
                    <input
                        id=email_id.clone()
                        class="field__control"
                        type="email"
                        name="email"
                        autocomplete="username"
                        aria-required="true"
                        aria-describedby=words_id(&email_id)
                        aria-invalid=move || missing.email(i18n).is_some().to_string()
                        bind:value=email
                    />
                </Field>
                <Field
                    id=password_id.clone()
                    label=Signal::derive(move || i18n.messages().sign_in.password)
                    error=Signal::derive(move || missing.password(i18n).map(str::to_owned))
                >
                    <input
                        id=password_id.clone()
                        class="field__control"
                        type="password"
                        name="password"
                        autocomplete="current-password"
                        aria-required="true"
                        aria-describedby=words_id(&password_id)
                        aria-invalid=move || missing.password(i18n).is_some().to_string()
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

/// What is still to be typed, said once somebody tried to sign in.
#[derive(Clone, Copy)]
struct Missing {
    email: RwSignal<String>,
    password: RwSignal<String>,
    tried: RwSignal<bool>,
}

impl Missing {
    /// What is wrong with the e-mail; tracked.
    fn email(self, i18n: I18n) -> Option<&'static str> {
        let words = &i18n.messages().sign_in;
        let wrong = self.email.with(|email| match email.trim() {
            "" => Some(words.email_missing),
            email if !email.contains('@') => Some(words.email_wrong),
            _ => None,
        });
        wrong.filter(|_| self.tried.get())
    }

    /// What is wrong with the password; tracked.
    fn password(self, i18n: I18n) -> Option<&'static str> {
        let is_missing = self.tried.get() && self.password.with(String::is_empty);
        is_missing.then(|| i18n.messages().sign_in.password_missing)
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
