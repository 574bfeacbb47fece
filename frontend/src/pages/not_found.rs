//! The page for an unknown address.

use leptos::prelude::*;
use leptos_router::components::A;

use super::heading::Heading;
use crate::address::Section;
use crate::i18n::use_i18n;

/// Says that there is no such page, and links to the export page.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Heading
            title=|i18n| i18n.messages().frame.page_not_found
            lead=|i18n| i18n.messages().frame.page_not_found_help
        />
        <p>
            <A href=move || Section::Export.path(i18n.locale())>
                {move || i18n.messages().frame.go_to_export}
            </A>
        </p>
    }
}
