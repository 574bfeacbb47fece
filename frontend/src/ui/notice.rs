//! A message about an outcome or a problem.

use leptos::prelude::*;

/// The severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Success.
    Ok,
    /// A warning, or something that the user must do first.
    Warn,
    /// A failure.
    Bad,
}

impl Tone {
    /// The CSS classes.
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "notice notice--ok",
            Self::Warn => "notice notice--warn",
            Self::Bad => "notice notice--bad",
        }
    }

    /// The ARIA role: screen readers announce a failure at once, and other messages when they are idle.
    const fn role(self) -> &'static str {
        match self {
            Self::Ok | Self::Warn => "status",
            Self::Bad => "alert",
        }
    }
}

/// A message.
#[component]
pub fn Notice(
    tone: Tone,
    /// The element's id, if other elements refer to it.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What the user can do.
    #[prop(optional, into)]
    help: Option<String>,
    /// The message.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=tone.class() role=tone.role() id=id>
            {children()}
            {help.map(|help| view! { <span class="notice__help">{help}</span> })}
        </div>
    }
}
