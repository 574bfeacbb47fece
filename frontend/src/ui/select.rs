//! A drop-down list: one of several.

use leptos::prelude::*;

use super::field::words_id;

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    value: String,
    label: String,
}

impl Choice {
    /// A value and its name.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The list; its label is the `Field` around it.
#[component]
pub fn Select(
    /// The control's id.
    id: String,
    /// What there is to choose from.
    #[prop(into)]
    choices: Signal<Vec<Choice>>,
    /// The value that is chosen.
    #[prop(into)]
    chosen: Signal<String>,
    /// Whether what is chosen is not accepted.
    #[prop(optional, into)]
    is_wrong: Signal<bool>,
    /// Called with another value.
    #[prop(into)]
    on_choose: Callback<String>,
) -> impl IntoView {
    let words = words_id(&id);
    view! {
        <select
            id=id
            class="field__control"
            aria-describedby=words
            aria-invalid=move || is_wrong.get().to_string()
            on:change:target=move |event| on_choose.run(event.target().value())
        >
            <For each=move || choices.get() key=Clone::clone let(choice)>
                <option value=choice.value.clone() prop:selected=move || chosen.get() == choice.value>
                    {choice.label}
                </option>
            </For>
        </select>
    }
}
