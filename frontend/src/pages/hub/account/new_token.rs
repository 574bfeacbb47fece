//! Creating an API token.

mod secret;

use domain::access::TokenScope;
use leptos::prelude::*;

use crate::api::account::{CreateApiToken, create_api_token};
use crate::api::failure::Failure;
use crate::api::names::Named;
use crate::i18n::messages::Tokens;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::{Session, use_session};
use crate::ui::button::SubmitButton;
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::select::{Choice, Select};
use secret::Secret;

/// The choices for a token's lifetime, in days. 0 means that it never expires.
const LIFETIMES_DAYS: [u32; 4] = [30, 90, 365, 0];

/// The form. After a token was created, its secret is shown until the user confirms having saved it.
#[component]
pub fn NewToken(
    /// Called after a token was created.
    on_created: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let name = RwSignal::new(String::new());
    let available_scopes = StoredValue::new(untrack(|| available_scopes(session)));
    let defaults = [TokenScope::Read, TokenScope::Export].into_iter();
    let scopes = RwSignal::new(
        defaults
            .filter(|scope| available_scopes.with_value(|available| available.contains(scope)))
            .collect::<Vec<_>>(),
    );
    let days = RwSignal::new(LIFETIMES_DAYS[1].to_string());
    let secret = RwSignal::new(None::<String>);
    let was_submitted = RwSignal::new(false);
    let create = Action::new_local(move |(): &()| {
        let variables = create_api_token::Variables {
            name: name.get_untracked().trim().to_owned(),
            scopes: scopes.get_untracked().into_iter().map(Named).collect(),
            expires_at: expires_at(&days.get_untracked()),
        };
        async move {
            let created = session.run::<CreateApiToken>(variables).await?.create_api_token;
            secret.set(Some(created.secret));
            name.set(String::new());
            was_submitted.set(false);
            on_created.run(());
            Ok::<(), Failure>(())
        }
    });
    let failure = Signal::derive(move || create.value().get().and_then(Result::err));
    let is_name_missing = move || was_submitted.get() && name.with(|name| name.trim().is_empty());
    let is_scope_missing = move || was_submitted.get() && scopes.with(Vec::is_empty);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        was_submitted.set(true);
        if untrack(|| !is_name_missing() && !is_scope_missing()) {
            create.dispatch(());
        }
    };
    let (name_id, days_id) = (field_id(), field_id());
    let lifetimes = Signal::derive(move || {
        let texts = &i18n.messages().tokens;
        let named = |days: &u32| match days {
            0 => texts.expires_never.to_owned(),
            days => (texts.expires_in)(*days),
        };
        LIFETIMES_DAYS.iter().map(|days| Choice::new(days.to_string(), named(days))).collect::<Vec<_>>()
    });
    view! {
        <Secret secret />
        <form class="form" novalidate on:submit=submit>
            <h3>{move || i18n.messages().tokens.new}</h3>
            <div class="form__fields">
                <Field
                    id=name_id.clone()
                    label=Signal::derive(move || i18n.messages().tokens.name)
                    hint=Signal::derive(move || Some(i18n.messages().tokens.name_hint.to_owned()))
                    error=Signal::derive(
                        move || is_name_missing().then(|| i18n.messages().tokens.name_missing.to_owned()),
                    )
                >
                    <input
                        id=name_id.clone()
                        class="field__control"
                        autocomplete="off"
                        maxlength="100"
                        aria-describedby=description_id(&name_id)
                        aria-invalid=move || is_name_missing().to_string()
                        bind:value=name
                    />
                </Field>
                <Field id=days_id.clone() label=Signal::derive(move || i18n.messages().tokens.expiry)>
                    <Select id=days_id choices=lifetimes selected=days on_select=move |value| days.set(value) />
                </Field>
            </div>
            <ScopeChoice available_scopes=available_scopes.get_value() scopes />
            <Show when=is_scope_missing>
                <p class="field__error" role="alert">{move || i18n.messages().tokens.scope_missing}</p>
            </Show>
            <Failed failure />
            <div>
                <SubmitButton busy=create.pending()>{move || i18n.messages().tokens.create}</SubmitButton>
            </div>
        </form>
    }
}

/// Checkboxes for the scopes that the user may grant.
#[component]
fn ScopeChoice(available_scopes: Vec<TokenScope>, scopes: RwSignal<Vec<TokenScope>>) -> impl IntoView {
    let i18n = use_i18n();
    let check = move |scope: TokenScope| {
        let toggle = move |event: leptos::ev::Targeted<leptos::ev::Event, web_sys::HtmlInputElement>| {
            let is_checked = event.target().checked();
            scopes.update(|scopes| {
                scopes.retain(|selected| *selected != scope);
                scopes.extend(is_checked.then_some(scope));
            });
        };
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || scopes.with(|scopes| scopes.contains(&scope))
                    on:change:target=toggle
                />
                {move || scope_name(scope, &i18n.messages().tokens)}
            </label>
        }
    };
    view! {
        <fieldset class="field">
            <legend class="field__label">{move || i18n.messages().tokens.scopes}</legend>
            <div class="form__row">{available_scopes.into_iter().map(check).collect_view()}</div>
        </fieldset>
    }
}

/// The scopes that the user may grant to a token.
fn available_scopes(session: Session) -> Vec<TokenScope> {
    let Some(user) = session.user() else { return Vec::new() };
    TokenScope::ALL.into_iter().filter(|scope| user.viewer.may_give(*scope)).collect()
}

/// A scope's name.
pub fn scope_name(scope: TokenScope, texts: &Tokens) -> &'static str {
    match scope {
        TokenScope::Read => texts.scope_read,
        TokenScope::Export => texts.scope_export,
        TokenScope::Import => texts.scope_import,
        TokenScope::Sync => texts.scope_sync,
        TokenScope::Record => texts.scope_record,
        TokenScope::Platform => texts.scope_platform,
    }
}

/// The RFC 3339 timestamp this many days from now, or `None` for never.
fn expires_at(days: &str) -> Option<String> {
    let days: f64 = days.parse().ok().filter(|days| *days > 0.0)?;
    let date = js_sys::Date::new(&(js_sys::Date::now() + days * 86_400_000.0).into());
    date.to_iso_string().as_string()
}
