//! Making an API token.

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
use crate::ui::field::{Field, field_id, words_id};
use crate::ui::select::{Choice, Select};
use secret::Secret;

/// After how many days a token may end; 0 stands for never.
const EXPIRIES: [u32; 4] = [30, 90, 365, 0];

/// The form; once a token was made, its secret, until the person says that they have it.
#[component]
pub fn NewToken(
    /// Called when a token was made.
    on_created: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let name = RwSignal::new(String::new());
    let offered = StoredValue::new(untrack(|| offered(session)));
    let usual = [TokenScope::Read, TokenScope::Export].into_iter();
    let scopes = RwSignal::new(
        usual.filter(|scope| offered.with_value(|offered| offered.contains(scope))).collect::<Vec<_>>(),
    );
    let days = RwSignal::new(EXPIRIES[1].to_string());
    let secret = RwSignal::new(None::<String>);
    let tried = RwSignal::new(false);
    let create = Action::new_local(move |(): &()| {
        let variables = create_api_token::Variables {
            name: name.get_untracked().trim().to_owned(),
            scopes: scopes.get_untracked().into_iter().map(Named).collect(),
            expires_at: expiry(&days.get_untracked()),
        };
        async move {
            let created = session.run::<CreateApiToken>(variables).await?.create_api_token;
            secret.set(Some(created.secret));
            name.set(String::new());
            tried.set(false);
            on_created.run(());
            Ok::<(), Failure>(())
        }
    });
    let failure = Signal::derive(move || create.value().get().and_then(Result::err));
    let no_name = move || tried.get() && name.with(|name| name.trim().is_empty());
    let no_scope = move || tried.get() && scopes.with(Vec::is_empty);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        tried.set(true);
        if untrack(|| !no_name() && !no_scope()) {
            create.dispatch(());
        }
    };
    let (name_id, days_id) = (field_id(), field_id());
    let expiries = Signal::derive(move || {
        let words = &i18n.messages().tokens;
        let named = |days: &u32| match days {
            0 => words.expires_never.to_owned(),
            days => (words.expires_in)(*days),
        };
        EXPIRIES.iter().map(|days| Choice::new(days.to_string(), named(days))).collect::<Vec<_>>()
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
                    error=Signal::derive(move || no_name().then(|| i18n.messages().tokens.name_missing.to_owned()))
                >
                    <input
                        id=name_id.clone()
                        class="field__control"
                        autocomplete="off"
                        maxlength="100"
                        aria-describedby=words_id(&name_id)
                        aria-invalid=move || no_name().to_string()
                        bind:value=name
                    />
                </Field>
                <Field id=days_id.clone() label=Signal::derive(move || i18n.messages().tokens.expiry)>
                    <Select id=days_id choices=expiries chosen=days on_choose=move |value| days.set(value) />
                </Field>
            </div>
            <ScopeChoice offered=offered.get_value() scopes />
            <Show when=no_scope>
                <p class="field__error" role="alert">{move || i18n.messages().tokens.scope_missing}</p>
            </Show>
            <Failed failure />
            <div>
                <SubmitButton busy=create.pending()>{move || i18n.messages().tokens.create}</SubmitButton>
            </div>
        </form>
    }
}

/// What the token will be good for, as far as the person is themselves.
#[component]
fn ScopeChoice(offered: Vec<TokenScope>, scopes: RwSignal<Vec<TokenScope>>) -> impl IntoView {
    let i18n = use_i18n();
    let check = move |scope: TokenScope| {
        let toggle = move |event: leptos::ev::Targeted<leptos::ev::Event, web_sys::HtmlInputElement>| {
            let wanted = event.target().checked();
            scopes.update(|scopes| {
                scopes.retain(|chosen| *chosen != scope);
                scopes.extend(wanted.then_some(scope));
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
            <div class="form__row">{offered.into_iter().map(check).collect_view()}</div>
        </fieldset>
    }
}

/// What the person may do themselves, and so may give to a token.
fn offered(session: Session) -> Vec<TokenScope> {
    let Some(person) = session.person() else { return Vec::new() };
    TokenScope::ALL.into_iter().filter(|scope| person.viewer.may_give(*scope)).collect()
}

/// A scope's name.
pub fn scope_name(scope: TokenScope, words: &Tokens) -> &'static str {
    match scope {
        TokenScope::Read => words.scope_read,
        TokenScope::Export => words.scope_export,
        TokenScope::Import => words.scope_import,
        TokenScope::Sync => words.scope_sync,
        TokenScope::Record => words.scope_record,
        TokenScope::Platform => words.scope_platform,
    }
}

/// The moment so many days from now, as RFC 3339 text; `None` for never.
fn expiry(days: &str) -> Option<String> {
    let days: f64 = days.parse().ok().filter(|days| *days > 0.0)?;
    let moment = js_sys::Date::new(&(js_sys::Date::now() + days * 86_400_000.0).into());
    moment.to_iso_string().as_string()
}
