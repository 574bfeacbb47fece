//! The theme: light, dark, or the system's. `start.js` applies the stored theme before the first paint.

use leptos::prelude::*;

use crate::browser;

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The operating system's theme.
    #[default]
    System,
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
}

/// The key of the theme in local storage. `start.js` reads it too.
const STORAGE_KEY: &str = "theme";

impl Theme {
    /// Every theme, in display order.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name in local storage and on `<html>`.
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

    /// The theme in local storage, else the default.
    fn load() -> Self {
        browser::load_item(STORAGE_KEY).as_deref().and_then(Self::parse).unwrap_or_default()
    }

    /// Applies the theme and stores it.
    fn apply(self) {
        let attribute = match self {
            Self::System => None,
            Self::Light | Self::Dark => Some(self.key()),
        };
        browser::set_root_attribute("data-theme", attribute);
        browser::store_item(STORAGE_KEY, self.key());
    }
}

/// The selected theme, shared by every theme switch.
#[derive(Clone, Copy)]
pub struct SelectedTheme(RwSignal<Theme>);

/// The theme from the context.
pub fn use_theme() -> SelectedTheme {
    expect_context()
}

impl SelectedTheme {
    /// Provides the stored theme as context.
    pub fn provide() {
        provide_context(Self(RwSignal::new(Theme::load())));
    }

    /// The theme; tracked.
    pub fn get(self) -> Theme {
        self.0.get()
    }

    /// Changes the theme.
    pub fn set(self, theme: Theme) {
        theme.apply();
        self.0.set(theme);
    }
}
