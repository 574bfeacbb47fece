//! A failure, said beside what failed.

use leptos::prelude::*;

use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::use_i18n;
use crate::ui::notice::{Notice, Tone};

/// What happened and what helps; nothing while nothing failed.
#[component]
pub fn Failed(
    /// What failed last, if anything did.
    #[prop(into)]
    failure: Signal<Option<Failure>>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        failure.get().map(|failure| {
            let explained = explain(&failure, i18n.locale());
            view! { <Notice tone=Tone::Bad help=explained.help>{explained.what}</Notice> }
        })
    }
}
