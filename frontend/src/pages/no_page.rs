//! What is shown where no page is.

use leptos::prelude::*;
use leptos_router::components::A;

use super::heading::Heading;
use crate::address::Section;
use crate::i18n::use_i18n;

/// Says that there is no such page, and where to go.
#[component]
pub fn NoPage() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Heading title=|i18n| i18n.messages().frame.no_page lead=|i18n| i18n.messages().frame.no_page_help />
        <p>
            <A href=move || Section::Export.path(i18n.locale())>{move || i18n.messages().frame.to_start}</A>
        </p>
    }
}
