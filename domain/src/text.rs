//! The two languages that people read the product in.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A language of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

impl Locale {
    /// Every language, in the order in which a person is offered them.
    pub const ALL: [Self; 2] = [Self::Es, Self::En];

    /// The BCP 47 tag, which is also the first segment of a page's path.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// The language with this tag; a region behind it (`es-CO`) is passed over.
    pub fn parse(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language))
    }

    /// The language that an `Accept-Language` header (RFC 9110 §12.5.4) likes best among ours.
    pub fn preferred(accept_language: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let Some(locale) = parts.next().and_then(|tag| Self::parse(tag.trim())) else { continue };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=").map(|q| q.parse().unwrap_or(0.0)))
                .unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(found, _)| weight > found) {
                best = Some((weight, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }
}

/// A phrase in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// The phrase in Spanish.
    pub es: &'static str,
    /// The phrase in English.
    pub en: &'static str,
}

impl Text {
    /// A phrase from its two wordings.
    pub const fn new(es: &'static str, en: &'static str) -> Self {
        Self { es, en }
    }

    /// The wording in one language.
    pub const fn in_locale(self, locale: Locale) -> &'static str {
        match locale {
            Locale::Es => self.es,
            Locale::En => self.en,
        }
    }
}

/// A sentence in both languages, made for the occasion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    es: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Phrase {
    /// A sentence from its two wordings.
    pub fn new(es: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { es: es.into(), en: en.into() }
    }

    /// The wording in one language.
    pub fn in_locale(&self, locale: Locale) -> &str {
        match locale {
            Locale::Es => &self.es,
            Locale::En => &self.en,
        }
    }
}

impl From<Text> for Phrase {
    fn from(text: Text) -> Self {
        Self::new(text.es, text.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_known_language_wins() {
        assert_eq!(Locale::preferred("fr-FR, en;q=0.8, es;q=0.9"), Some(Locale::Es));
        assert_eq!(Locale::preferred("en-GB,en;q=0.9"), Some(Locale::En));
        assert_eq!(Locale::preferred("de, es;q=0"), None);
    }
}
