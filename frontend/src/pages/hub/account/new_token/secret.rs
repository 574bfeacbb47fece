//! The secret of a token that was just made.

use leptos::prelude::*;

use crate::browser;
use crate::i18n::use_i18n;
use crate::ui::notice::{Notice, Tone};

/// Shows the secret this once, with a button that copies it; nothing while there is none.
#[component]
pub fn Secret(
    /// The secret, until the person has it.
    secret: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let copy = Action::new_local(move |secret: &String| {
        let secret = secret.clone();
        async move { browser::copy(&secret).await }
    });
    let copied = move || {
        let words = &i18n.messages().tokens;
        copy.value().get().map(|copied| if copied { words.copied } else { words.not_copied })
    };
    let shown = move |text: String| {
        view! {
            <Notice tone=Tone::Ok>{move || i18n.messages().tokens.created}</Notice>
            <div class="secret" role="group" aria-label=move || i18n.messages().tokens.secret>
                <code>{text.clone()}</code>
                <button
                    type="button"
                    class="button button--small"
                    on:click=move |_| {
                        copy.dispatch(text.clone());
                    }
                >
                    {move || i18n.messages().tokens.copy}
                </button>
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| {
                        copy.clear();
                        secret.set(None);
                    }
                >
                    {move || i18n.messages().tokens.done}
                </button>
                <span class="soft" role="status">{copied}</span>
            </div>
        }
    };
    move || secret.get().map(shown)
}
