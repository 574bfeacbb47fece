//! The last state of the export page, so that it survives a visit to another section.

use leptos::prelude::*;

use crate::address::ExportQuery;

/// The last state of the export page, as a URL query.
#[derive(Clone, Copy)]
pub struct LastExport(RwSignal<String>);

impl LastExport {
    /// Provides it as context.
    pub fn provide() {
        provide_context(Self(RwSignal::new(String::new())));
    }

    /// Stores the page's state.
    pub fn store(self, page: &ExportQuery) {
        self.0.set(page.serialize());
    }

    /// The address of the page in its last state; tracked.
    pub fn address(self, path: String) -> String {
        self.0.with(|query| if query.is_empty() { path } else { format!("{path}?{query}") })
    }
}
