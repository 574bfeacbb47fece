//! Where the export page was left, so that a look at another section loses nothing.

use leptos::prelude::*;

use crate::address::ExportPage;

/// The state in which the export page was left, for the way back to it.
#[derive(Clone, Copy)]
pub struct LastExport(RwSignal<String>);

impl LastExport {
    /// Gives it to everything below.
    pub fn provide() {
        provide_context(Self(RwSignal::new(String::new())));
    }

    /// Remembers the page's state.
    pub fn keep(self, page: &ExportPage) {
        self.0.set(page.write());
    }

    /// The address of the page, as it was left; tracked.
    pub fn continued(self, path: String) -> String {
        self.0.with(|query| if query.is_empty() { path } else { format!("{path}?{query}") })
    }
}
