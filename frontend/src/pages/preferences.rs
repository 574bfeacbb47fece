//! The language and theme switches.

use domain::Locale;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use crate::address::in_language;
use crate::api::account::{UpdatePreferences, update_preferences};
use crate::api::names::Named;
use crate::i18n::{self, use_i18n};
use crate::session::use_session;
use crate::theme::{Theme, use_theme};
use crate::ui::segments::{Segment, Segments};

/// The two switches. The language is also saved in the account if a user is signed in.
#[component]
pub fn Preferences() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let navigate = use_navigate();
    let location = use_location();
    let theme = use_theme();

    let switch_language = move |tag: String| {
        let Some(locale) = Locale::parse(&tag) else { return };
        let address = location.pathname.with_untracked(|path| {
            location.search.with_untracked(|search| in_language(path, search, locale))
        });
        navigate(&address, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        if session.user().is_some() {
            spawn_local(async move {
                let variables = update_preferences::Variables { locale: Some(Named(locale)), timezone: None };
                // The page has already changed its language. Failing to save it in the account does no harm.
                drop(session.run::<UpdatePreferences>(variables).await);
            });
        }
    };
    let languages = Signal::derive(|| {
        let named = |locale: Locale| {
            Segment::new(locale.tag(), locale.tag().to_ascii_uppercase())
                .with_accessible_name(i18n::name(locale), locale.tag())
        };
        Locale::ALL.into_iter().map(named).collect::<Vec<_>>()
    });
    let themes = Signal::derive(move || {
        let texts = &i18n.messages().frame;
        let named = |theme: Theme| match theme {
            Theme::System => Segment::new(theme.key(), texts.theme_system),
            Theme::Light => Segment::new(theme.key(), texts.theme_light),
            Theme::Dark => Segment::new(theme.key(), texts.theme_dark),
        };
        Theme::ALL.into_iter().map(named).collect::<Vec<_>>()
    });
    view! {
        <div class="preferences">
            <Segments
                label=Signal::derive(move || i18n.messages().frame.language)
                segments=languages
                selected=Signal::derive(move || i18n.locale().tag().to_owned())
                on_select=switch_language
            />
            <Segments
                label=Signal::derive(move || i18n.messages().frame.theme)
                segments=themes
                selected=Signal::derive(move || theme.get().key().to_owned())
                on_select=move |key: String| {
                    if let Some(selected) = Theme::parse(&key) {
                        theme.set(selected);
                    }
                }
            />
        </div>
    }
}
