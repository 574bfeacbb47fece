//! The sign-in page.

use domain::failure::ErrorCode;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::failed::Failed;
use super::heading::Heading;
use super::preferences::Preferences;
use crate::api::failure::Failure;
use crate::i18n::{I18n, use_i18n};
use crate::session::{SignOutReason, use_session};
use crate::ui::brand::Brand;
use crate::ui::button::SubmitButton;
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::notice::{Notice, Tone};

/// The sign-in form, with a notice if a session has ended.
#[component]
pub fn SignIn(
    /// Why no user is signed in.
    reason: SignOutReason,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let sign_in = Action::new_local(move |(email, password): &(String, String)| {
        session.sign_in(email.clone(), password.clone())
    });
    let failure = Memo::new(move |_| sign_in.value().get().and_then(Result::err));
    let was_submitted = RwSignal::new(false);
    let errors = FieldErrors { email, password, was_submitted };
    let wrong_credentials = move || failure.get().filter(is_about_credentials);
    let other_failure =
        Signal::derive(move || failure.get().filter(|failure| !is_about_credentials(failure)));
    let (email_id, password_id) = (field_id(), field_id());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        was_submitted.set(true);
        if untrack(|| errors.email(i18n).or_else(|| errors.password(i18n))).is_none() {
            sign_in.dispatch((email.get_untracked().trim().to_owned(), password.get_untracked()));
        }
    };
    view! {
        <main class="sign-in">
            <form class="sign-in__card" novalidate on:submit=submit>
                <Brand />
                <Heading title=|i18n| i18n.messages().sign_in.title lead=|i18n| i18n.messages().sign_in.lead />
                {move || {
                    let texts = &i18n.messages().sign_in;
                    let notice = match reason {
                        SignOutReason::Never => None,
                        SignOutReason::Requested => Some((Tone::Ok, texts.signed_out)),
                        SignOutReason::Expired => Some((Tone::Warn, texts.session_expired)),
                    };
                    notice.map(|(tone, text)| view! { <Notice tone=tone>{text}</Notice> })
                }}
                <Field
                    id=email_id.clone()
                    label=Signal::derive(move || i18n.messages().sign_in.email)
                    error=Signal::derive(move || errors.email(i18n).map(str::to_owned))
                >
                    <input
                        id=email_id.clone()
                        class="field__control"
                        type="email"
                        name="email"
                        autocomplete="username"
                        aria-required="true"
                        aria-describedby=description_id(&email_id)
                        aria-invalid=move || errors.email(i18n).is_some().to_string()
                        bind:value=email
                    />
                </Field>
                <Field
                    id=password_id.clone()
                    label=Signal::derive(move || i18n.messages().sign_in.password)
                    error=Signal::derive(move || errors.password(i18n).map(str::to_owned))
                >
                    <input
                        id=password_id.clone()
                        class="field__control"
                        type="password"
                        name="password"
                        autocomplete="current-password"
                        aria-required="true"
                        aria-describedby=description_id(&password_id)
                        aria-invalid=move || errors.password(i18n).is_some().to_string()
                        bind:value=password
                    />
                </Field>
                {move || {
                    let texts = &i18n.messages().sign_in;
                    wrong_credentials().map(|_| view! {
                        <Notice tone=Tone::Bad help=texts.wrong_credentials_help>
                            {texts.wrong_credentials}
                        </Notice>
                    })
                }}
                <Failed failure=other_failure />
                <SubmitButton busy=sign_in.pending()>{move || i18n.messages().sign_in.submit}</SubmitButton>
            </form>
            <Preferences />
        </main>
    }
}

/// The errors of the fields, shown after the first attempt to submit.
#[derive(Clone, Copy)]
struct FieldErrors {
    email: RwSignal<String>,
    password: RwSignal<String>,
    was_submitted: RwSignal<bool>,
}

impl FieldErrors {
    /// The error of the email field; tracked.
    fn email(self, i18n: I18n) -> Option<&'static str> {
        let texts = &i18n.messages().sign_in;
        let error = self.email.with(|email| match email.trim() {
            "" => Some(texts.email_missing),
            email if !email.contains('@') => Some(texts.email_invalid),
            _ => None,
        });
        error.filter(|_| self.was_submitted.get())
    }

    /// The error of the password field; tracked.
    fn password(self, i18n: I18n) -> Option<&'static str> {
        let is_missing = self.was_submitted.get() && self.password.with(String::is_empty);
        is_missing.then(|| i18n.messages().sign_in.password_missing)
    }
}

/// Whether the server rejected the email or the password.
fn is_about_credentials(failure: &Failure) -> bool {
    match failure {
        Failure::Api(error) => {
            matches!(error.code, ErrorCode::Unauthenticated | ErrorCode::BadUserInput)
        }
        Failure::Unreachable | Failure::Unreadable => false,
    }
}
