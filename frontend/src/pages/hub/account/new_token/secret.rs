//! The secret of a newly created token.

use leptos::prelude::*;

use crate::browser;
use crate::i18n::use_i18n;
use crate::ui::notice::{Notice, Tone};

/// Shows the secret, with a button that copies it. Shows nothing if there is no secret.
#[component]
pub fn Secret(
    /// The secret, until the user confirms that they have saved it.
    secret: RwSignal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let copy = Action::new_local(move |secret: &String| {
        let secret = secret.clone();
        async move { browser::copy(&secret).await }
    });
    let copied = move || {
        let texts = &i18n.messages().tokens;
        copy.value().get().map(|copied| if copied { texts.copied } else { texts.not_copied })
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
                    {move || i18n.messages().tokens.secret_saved}
                </button>
                <span class="muted" role="status">{copied}</span>
            </div>
        }
    };
    move || secret.get().map(shown)
}
