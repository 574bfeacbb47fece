//! A failure, said beside what failed, with a way to try again where there is one.

use leptos::prelude::*;

use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::use_i18n;
use crate::ui::button::{ActionButton, Look};
use crate::ui::notice::{Notice, Tone};

/// What happened and what helps; nothing while nothing failed.
#[component]
pub fn Failed(
    /// What failed last, if anything did.
    #[prop(into)]
    failure: Signal<Option<Failure>>,
    /// Tries again, where that can be done from here.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
    /// Whether it is being tried again.
    #[prop(optional, into)]
    busy: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    // The same failure once more is no news, and leaves the button with its focus where it is.
    let failure = Memo::new(move |_| failure.get());
    let has_failed = Memo::new(move |_| failure.get().is_some());
    let said = move || {
        failure.get().map(|failure| {
            let explained = explain(&failure, i18n.locale());
            view! { <Notice tone=Tone::Bad help=explained.help>{explained.what}</Notice> }
        })
    };
    let words = move || {
        let words = &i18n.messages().frame;
        if busy.get() { words.retrying } else { words.retry }
    };
    view! {
        {said}
        {on_retry.map(|on_retry| view! {
            <Show when=move || has_failed.get()>
                <div>
                    <ActionButton look=Look::Quiet busy on_press=on_retry>{words}</ActionButton>
                </div>
            </Show>
        })}
    }
}
