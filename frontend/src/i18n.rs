//! All texts of the Hub in both languages, and the formats of numbers and dates.
//!
//! [`messages::Messages`] has a field for each text. The app does not compile unless both languages fill it.
//! Names that the server uses too (datasets, columns, filters) come from `domain`.

mod en;
mod es;
pub mod explain;
pub mod format;
pub mod messages;
pub mod sync;
pub mod time_format;

use domain::{Locale, Text};
use leptos::prelude::*;

use crate::browser;
use messages::Messages;

/// The language of the page, which its path determines.
#[derive(Clone, Copy)]
pub struct I18n {
    locale: Signal<Locale>,
}

/// The key of the language in local storage, and the name of its cookie.
const STORAGE_KEY: &str = "locale";

/// The language from the context.
pub fn use_i18n() -> I18n {
    expect_context()
}

impl I18n {
    /// Provides the language as context, sets it on `<html>`, and stores it for the next visit.
    pub fn provide(locale: Signal<Locale>) -> Self {
        Effect::new(move |_| {
            let tag = locale.get().tag();
            browser::set_root_attribute("lang", Some(tag));
            browser::store_item(STORAGE_KEY, tag);
            browser::store_cookie(STORAGE_KEY, tag);
        });
        let i18n = Self { locale };
        provide_context(i18n);
        i18n
    }

    /// The language; tracked.
    pub fn locale(self) -> Locale {
        self.locale.get()
    }

    /// The texts in the page's language; tracked.
    pub fn messages(self) -> &'static Messages {
        messages(self.locale.get())
    }

    /// A text of `domain` in the page's language; tracked.
    pub fn text(self, text: Text) -> &'static str {
        text.in_locale(self.locale.get())
    }
}

/// The texts in a language.
pub fn messages(locale: Locale) -> &'static Messages {
    match locale {
        Locale::Es => &es::MESSAGES,
        Locale::En => &en::MESSAGES,
    }
}

/// A language's own name.
pub fn name(locale: Locale) -> &'static str {
    match locale {
        Locale::Es => "Español",
        Locale::En => "English",
    }
}

/// The stored language, else the browser's, else the product's default.
pub fn preferred_locale() -> Locale {
    let tags = [browser::load_item(STORAGE_KEY), browser::language()];
    tags.into_iter().flatten().find_map(|tag| Locale::parse(&tag)).unwrap_or_default()
}
