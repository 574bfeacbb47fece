//! A segmented control: a few options, all visible. It is made of radio buttons, so the arrow keys work.

use leptos::prelude::*;

use super::field::field_id;

/// An option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    value: &'static str,
    label: String,
    accessible_name: Option<(&'static str, &'static str)>,
}

impl Segment {
    /// An option with a value and a label.
    pub fn new(value: &'static str, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), accessible_name: None }
    }

    /// Sets the name for screen readers, with its language tag.
    pub fn with_accessible_name(self, name: &'static str, language: &'static str) -> Self {
        Self { accessible_name: Some((name, language)), ..self }
    }
}

/// The control.
#[component]
pub fn Segments(
    /// The legend, for screen readers.
    #[prop(into)]
    label: Signal<&'static str>,
    /// The options.
    #[prop(into)]
    segments: Signal<Vec<Segment>>,
    /// The selected value.
    #[prop(into)]
    selected: Signal<String>,
    /// Called with the newly selected value.
    #[prop(into)]
    on_select: Callback<String>,
) -> impl IntoView {
    let name = StoredValue::new(field_id());
    view! {
        <fieldset class="segments">
            <legend class="visually-hidden">{move || label.get()}</legend>
            <For each=move || segments.get() key=|segment| (segment.value, segment.label.clone()) let(segment)>
                <label class="segments__choice">
                    <input
                        type="radio"
                        name=name.get_value()
                        value=segment.value
                        aria-label=segment.accessible_name.map(|(name, _)| name)
                        lang=segment.accessible_name.map(|(_, language)| language)
                        prop:checked=move || selected.get() == segment.value
                        on:change=move |_| on_select.run(segment.value.to_owned())
                    />
                    {segment.label}
                </label>
            </For>
        </fieldset>
    }
}
