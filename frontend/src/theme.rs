//! Light, dark, or as the system has it; kept across visits. `start.js` applies it before the first paint.

use leptos::prelude::*;

use crate::browser;

/// A theme to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the operating system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Where the choice is kept; `start.js` reads it too.
const STORAGE_KEY: &str = "theme";

impl Theme {
    /// Every theme, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name in storage and on `<html>`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.key() == key)
    }

    /// The theme of the last visit.
    fn recall() -> Self {
        browser::recall(STORAGE_KEY).as_deref().and_then(Self::parse).unwrap_or_default()
    }

    /// Shows the theme and keeps it.
    fn show(self) {
        let attribute = match self {
            Self::System => None,
            Self::Light | Self::Dark => Some(self.key()),
        };
        browser::set_root_attribute("data-theme", attribute);
        browser::remember(STORAGE_KEY, self.key());
    }
}

/// The theme that is chosen, the same for every switch on the page.
#[derive(Clone, Copy)]
pub struct ChosenTheme(RwSignal<Theme>);

/// The theme around a component.
pub fn use_theme() -> ChosenTheme {
    expect_context()
}

impl ChosenTheme {
    /// Gives the theme of the last visit to everything below.
    pub fn provide() {
        provide_context(Self(RwSignal::new(Theme::recall())));
    }

    /// The theme, tracked.
    pub fn get(self) -> Theme {
        self.0.get()
    }

    /// Changes the theme.
    pub fn choose(self, theme: Theme) {
        theme.show();
        self.0.set(theme);
    }
}
