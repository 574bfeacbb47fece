//! A drop-down list.

use leptos::prelude::*;

use super::field::description_id;

/// An option of the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    value: String,
    label: String,
}

impl Choice {
    /// An option with a value and a label.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The list. Its label comes from the enclosing `Field`.
#[component]
pub fn Select(
    id: String,
    #[prop(into)] choices: Signal<Vec<Choice>>,
    /// The selected value.
    #[prop(into)]
    selected: Signal<String>,
    /// Whether the selection is invalid.
    #[prop(optional, into)]
    is_invalid: Signal<bool>,
    /// Called with the newly selected value.
    #[prop(into)]
    on_select: Callback<String>,
) -> impl IntoView {
    let description = description_id(&id);
    view! {
        <select
            id=id
            class="field__control"
            aria-describedby=description
            aria-invalid=move || is_invalid.get().to_string()
            on:change:target=move |event| on_select.run(event.target().value())
        >
            <For each=move || choices.get() key=Clone::clone let(choice)>
                <option value=choice.value.clone() prop:selected=move || selected.get() == choice.value>
                    {choice.label}
                </option>
            </For>
        </select>
    }
}
