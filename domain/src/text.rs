//! The product's two languages, and texts in both.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A language of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

impl Locale {
    /// Every language, in the order of the language menu.
    pub const ALL: [Self; 2] = [Self::Es, Self::En];

    /// The BCP 47 tag, which is also the first segment of a page's path.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// The language with this tag. A region (`es-CO`) is ignored.
    pub fn parse(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language))
    }

    /// Our language with the highest weight in an `Accept-Language` header (RFC 9110 §12.5.4).
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

/// A constant text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    pub es: &'static str,
    pub en: &'static str,
}

impl Text {
    /// A text from its two translations.
    pub const fn new(es: &'static str, en: &'static str) -> Self {
        Self { es, en }
    }

    /// The text in one language.
    pub const fn in_locale(self, locale: Locale) -> &'static str {
        match locale {
            Locale::Es => self.es,
            Locale::En => self.en,
        }
    }
}

/// A text in both languages with values filled in.
///
/// Functions that word a value return a `Phrase`, built in one `match` on the value, and leave the language to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    es: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Phrase {
    /// A text from its two translations.
    pub fn new(es: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { es: es.into(), en: en.into() }
    }

    /// Sentences, one after the other.
    pub fn joined(phrases: &[Self]) -> Self {
        let all =
            |locale| phrases.iter().map(|phrase| phrase.in_locale(locale)).collect::<Vec<_>>().join(" ");
        Self::new(all(Locale::Es), all(Locale::En))
    }

    /// States the accepted values: “Accepted: csv, json or ndjson.”
    pub fn accepted(values: &[&str]) -> Self {
        let list = |or: &str| match values {
            [first @ .., last] if !first.is_empty() => format!("{} {or} {last}", first.join(", ")),
            _ => values.join(""),
        };
        Self::new(format!("Se acepta {}.", list("o")), format!("Accepted: {}.", list("or")))
    }

    /// The text in one language.
    pub fn in_locale(&self, locale: Locale) -> &str {
        match locale {
            Locale::Es => &self.es,
            Locale::En => &self.en,
        }
    }

    /// The text in one language, owned.
    pub fn into_locale(self, locale: Locale) -> String {
        match locale {
            Locale::Es => self.es.into_owned(),
            Locale::En => self.en.into_owned(),
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
