//! Preferences: language and theme, which change at once, and the time zone, which is saved by a button.

use leptos::prelude::*;

use crate::api::account::{UpdatePreferences, update_preferences};
use crate::i18n::format::timezones;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::pages::preferences::Preferences;
use crate::session::use_session;
use crate::ui::button::SubmitButton;
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::notice::{Notice, Tone};
use crate::ui::panel::Panel;

/// The panel.
#[component]
pub fn PreferencesPanel() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let timezone = RwSignal::new(untrack(|| session.timezone()));
    let id = field_id();
    let list_id = format!("{id}-timezones");
    let save = Action::new_local(move |timezone: &String| {
        let variables = update_preferences::Variables { locale: None, timezone: Some(timezone.clone()) };
        async move {
            let saved = session.run::<UpdatePreferences>(variables).await?.update_preferences.timezone;
            session.set_timezone(saved);
            Ok(())
        }
    });
    let was_submitted = RwSignal::new(false);
    let is_missing = move || was_submitted.get() && timezone.with(|name| name.trim().is_empty());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        was_submitted.set(true);
        if !untrack(is_missing) {
            save.dispatch(timezone.get_untracked().trim().to_owned());
        }
    };
    let error = move || is_missing().then(|| i18n.messages().account.timezone_missing.to_owned());
    let failure = Signal::derive(move || save.value().get().and_then(Result::err));
    let saved = move || matches!(save.value().get(), Some(Ok(())));
    view! {
        <Panel title=Signal::derive(move || i18n.messages().account.preferences)>
            <Preferences />
            <form class="form" novalidate on:submit=submit>
                <Field
                    id=id.clone()
                    label=Signal::derive(move || i18n.messages().account.timezone)
                    hint=Signal::derive(move || Some(i18n.messages().account.timezone_hint.to_owned()))
                    error=Signal::derive(error)
                >
                    <input
                        id=id.clone()
                        class="field__control"
                        list=list_id.clone()
                        aria-required="true"
                        aria-invalid=move || is_missing().to_string()
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby=description_id(&id)
                        bind:value=timezone
                    />
                    <datalist id=list_id>
                        {timezones().into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
                    </datalist>
                </Field>
                <Failed failure />
                <Show when=saved>
                    <Notice tone=Tone::Ok>{move || i18n.messages().account.saved}</Notice>
                </Show>
                <div>
                    <SubmitButton busy=save.pending()>{move || i18n.messages().account.save}</SubmitButton>
                </div>
            </form>
        </Panel>
    }
}
