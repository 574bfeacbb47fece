//! The heading of a page. It also sets the document's title, and takes the focus after a navigation.

use leptos::html;
use leptos::prelude::*;

use crate::browser;
use crate::i18n::I18n;
use crate::i18n::use_i18n;

/// Whether a page has been shown. The first page does not move the focus.
#[derive(Clone, Copy)]
pub struct HasShownPage(StoredValue<bool>);

impl HasShownPage {
    /// Provides it as context.
    pub fn provide() {
        provide_context(Self(StoredValue::new(false)));
    }
}

/// A page's title and its description.
#[component]
pub fn Heading(
    title: fn(I18n) -> &'static str,
    /// A sentence about the purpose of the page.
    lead: fn(I18n) -> &'static str,
) -> impl IntoView {
    let i18n = use_i18n();
    let HasShownPage(has_shown_page) = expect_context();
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| browser::set_title(&format!("{} · DataPorter Hub", title(i18n))));
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            if has_shown_page.get_value() {
                browser::focus(&heading);
            }
            has_shown_page.set_value(true);
        }
    });
    view! {
        <div>
            <h1 node_ref=heading tabindex="-1">
                {move || title(i18n)}
            </h1>
            <p class="muted">{move || lead(i18n)}</p>
        </div>
    }
}
