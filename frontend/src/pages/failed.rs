//! A notice about a failure, with a button to retry where that is possible.

use leptos::prelude::*;

use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::use_i18n;
use crate::ui::button::{ActionButton, Variant};
use crate::ui::notice::{Notice, Tone};

/// The notice. Shows nothing if there is no failure.
#[component]
pub fn Failed(
    /// The last failure, if any.
    #[prop(into)]
    failure: Signal<Option<Failure>>,
    /// Called to retry. Without it, there is no button.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
    /// Whether a retry is in progress.
    #[prop(optional, into)]
    busy: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    // If a retry fails the same way, nothing is rendered again, so the button keeps the focus.
    let failure = Memo::new(move |_| failure.get());
    let has_failed = Memo::new(move |_| failure.get().is_some());
    let notice = move || {
        failure.get().map(|failure| {
            let explanation = explain(&failure, i18n.locale());
            view! { <Notice tone=Tone::Bad help=explanation.help>{explanation.message}</Notice> }
        })
    };
    let label = move || {
        let texts = &i18n.messages().frame;
        if busy.get() { texts.retrying } else { texts.retry }
    };
    view! {
        {notice}
        {on_retry.map(|on_retry| view! {
            <Show when=move || has_failed.get()>
                <div>
                    <ActionButton variant=Variant::Quiet busy on_press=on_retry>{label}</ActionButton>
                </div>
            </Show>
        })}
    }
}
