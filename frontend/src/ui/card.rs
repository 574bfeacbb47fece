//! A card with a title, a figure and a short text.

use leptos::prelude::*;

/// Whether a card is highlighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// Not highlighted.
    #[default]
    Normal,
    /// Highlighted, because the user should act.
    Highlighted,
}

/// The status dot beside a card's title. The card's text says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Working.
    Ok,
    /// A setting is missing.
    Warning,
    /// Not in use.
    Off,
}

impl Status {
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "card__status card__status--ok",
            Self::Warning => "card__status card__status--warn",
            Self::Off => "card__status",
        }
    }
}

/// The content of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardContent {
    pub emphasis: Emphasis,
    pub status: Option<Status>,
    pub title: String,
    /// The number or short text in large type.
    pub figure: String,
    pub text: String,
    /// A problem, in the color of errors.
    pub problem: Option<String>,
}

/// A card, or its skeleton while there is no content.
#[component]
pub fn Card(
    #[prop(into)] content: Signal<Option<CardContent>>,
    /// What the user can do, such as a link.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let content = Memo::new(move |_| content.get());
    let is_highlighted = move || {
        content
            .with(|content| content.as_ref().is_some_and(|content| content.emphasis == Emphasis::Highlighted))
    };
    let body = move || match content.get() {
        None => view! {
            <div aria-hidden="true">
                <span class="table__skeleton"></span>
                <span class="table__skeleton card__figure"></span>
                <span class="table__skeleton"></span>
            </div>
        }
        .into_any(),
        Some(CardContent { emphasis: _, status, title, figure, text, problem }) => view! {
            <h2 class="card__title">
                {status.map(|status| view! { <span class=status.class() aria-hidden="true"></span> })} {title}
            </h2>
            <p class="card__figure">{figure}</p>
            <p class="card__text">{text}</p>
            {problem.map(|problem| view! { <p class="card__problem">{problem}</p> })}
        }
        .into_any(),
    };
    view! {
        <article class="card" class:card--highlighted=is_highlighted>
            {body}
            {children.map(|children| children())}
        </article>
    }
}
