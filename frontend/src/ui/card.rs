//! A card that says one thing at a glance: what, how much, and what there is to know of it.

use leptos::prelude::*;

/// How a card looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Light {
    /// As it is.
    #[default]
    Plain,
    /// Something is to be done.
    Lit,
}

/// The sign beside a card's title; its words say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// All is well.
    Green,
    /// Something is missing.
    Amber,
    /// It is not in use.
    Grey,
}

impl Sign {
    const fn class(self) -> &'static str {
        match self {
            Self::Green => "card__sign card__sign--ok",
            Self::Amber => "card__sign card__sign--warn",
            Self::Grey => "card__sign",
        }
    }
}

/// What is on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Face {
    /// How it looks.
    pub light: Light,
    /// The sign beside the title.
    pub sign: Option<Sign>,
    /// What it is about.
    pub title: String,
    /// How much, in large letters.
    pub figure: String,
    /// What there is to know of it.
    pub words: String,
    /// What is wrong.
    pub fault: Option<String>,
}

/// A card; while there is nothing to say yet, only its shape.
#[component]
pub fn Card(
    /// What is on it.
    #[prop(into)]
    face: Signal<Option<Face>>,
    /// What one can do about it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let face = Memo::new(move |_| face.get());
    let is_lit = move || face.with(|face| face.as_ref().is_some_and(|face| face.light == Light::Lit));
    let content = move || match face.get() {
        None => view! {
            <div aria-hidden="true">
                <span class="table__bone"></span>
                <span class="table__bone card__figure"></span>
                <span class="table__bone"></span>
            </div>
        }
        .into_any(),
        Some(Face { light: _, sign, title, figure, words, fault }) => view! {
            <h2 class="card__title">
                {sign.map(|sign| view! { <span class=sign.class() aria-hidden="true"></span> })} {title}
            </h2>
            <p class="card__figure">{figure}</p>
            <p class="card__words">{words}</p>
            {fault.map(|fault| view! { <p class="card__fault">{fault}</p> })}
        }
        .into_any(),
    };
    view! {
        <article class="card" class:card--lit=is_lit>
            {content}
            {children.map(|children| children())}
        </article>
    }
}
