//! A message about what just happened, or about what is in the way.

use leptos::prelude::*;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Ok,
    /// Something is to be done first.
    Warn,
    /// It failed.
    Bad,
}

impl Tone {
    /// The classes of a message in this tone.
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "notice notice--ok",
            Self::Warn => "notice notice--warn",
            Self::Bad => "notice notice--bad",
        }
    }

    /// How a screen reader takes it: a failure at once, the rest when it is done reading.
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
    /// How it is meant.
    tone: Tone,
    /// The id by which others refer to it.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What helps.
    #[prop(optional, into)]
    help: Option<String>,
    /// What happened.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=tone.class() role=tone.role() id=id>
            {children()}
            {help.map(|help| view! { <span class="notice__help">{help}</span> })}
        </div>
    }
}
