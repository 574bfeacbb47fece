//! Every word of the Hub, in both languages, and numbers and dates as each language writes them.
//!
//! [`messages::Messages`] has one field for each phrase and `es` and `en` each fill all of them: a phrase that lacks a
//! language does not compile. Names that server and browser share (datasets, columns, filters) come from `domain`.

mod en;
mod es;
pub mod explain;
pub mod format;
pub mod messages;
pub mod moments;
pub mod sync;

use domain::{Locale, Text};
use leptos::prelude::*;

use crate::browser;
use messages::Messages;

/// The language of the page; the page's path decides it.
#[derive(Clone, Copy)]
pub struct I18n {
    locale: Signal<Locale>,
}

/// Where the choice is kept across visits, in storage and as a cookie.
const STORAGE_KEY: &str = "locale";

/// The language of the page around a component.
pub fn use_i18n() -> I18n {
    expect_context()
}

impl I18n {
    /// Gives the language to everything below, says it on `<html>`, and keeps it across visits.
    pub fn provide(locale: Signal<Locale>) -> Self {
        Effect::new(move |_| {
            let tag = locale.get().tag();
            browser::set_root_attribute("lang", Some(tag));
            browser::remember(STORAGE_KEY, tag);
            browser::remember_in_cookie(STORAGE_KEY, tag);
        });
        let i18n = Self { locale };
        provide_context(i18n);
        i18n
    }

    /// The language, tracked.
    pub fn locale(self) -> Locale {
        self.locale.get()
    }

    /// The page's phrases, tracked.
    pub fn messages(self) -> &'static Messages {
        messages(self.locale.get())
    }

    /// A phrase of the catalogue, tracked.
    pub fn text(self, text: Text) -> &'static str {
        text.in_locale(self.locale.get())
    }
}

/// The phrases of one language.
pub fn messages(locale: Locale) -> &'static Messages {
    match locale {
        Locale::Es => &es::MESSAGES,
        Locale::En => &en::MESSAGES,
    }
}

/// A language's name in itself.
pub fn name(locale: Locale) -> &'static str {
    match locale {
        Locale::Es => "Español",
        Locale::En => "English",
    }
}

/// The language of the last visit, else the browser's, else the product's first.
pub fn remembered() -> Locale {
    let tags = [browser::recall(STORAGE_KEY), browser::language()];
    tags.into_iter().flatten().find_map(|tag| Locale::parse(&tag)).unwrap_or_default()
}
