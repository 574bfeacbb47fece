//! The heading of a page: names the browser's tab, and takes the focus after a change of page.

use leptos::html;
use leptos::prelude::*;

use crate::browser;
use crate::i18n::I18n;
use crate::i18n::use_i18n;

/// Whether a page was shown before in this visit; the first one leaves the focus where the browser puts it.
#[derive(Clone, Copy)]
pub struct Arrived(StoredValue<bool>);

impl Arrived {
    /// Gives it to everything below.
    pub fn provide() {
        provide_context(Self(StoredValue::new(false)));
    }
}

/// A page's title and what the page is for.
#[component]
pub fn Heading(
    /// The title, in the page's language.
    title: fn(I18n) -> &'static str,
    /// What the page is for.
    lead: fn(I18n) -> &'static str,
) -> impl IntoView {
    let i18n = use_i18n();
    let Arrived(arrived) = expect_context();
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| browser::set_title(&format!("{} · DataPorter Hub", title(i18n))));
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            if arrived.get_value() {
                browser::focus(&heading);
            }
            arrived.set_value(true);
        }
    });
    view! {
        <div>
            <h1 node_ref=heading tabindex="-1">
                {move || title(i18n)}
            </h1>
            <p class="soft">{move || lead(i18n)}</p>
        </div>
    }
}
