//! A segmented control: one of a few, all in sight. Radio buttons underneath, so arrow keys move between them.

use leptos::prelude::*;

use super::field::field_id;

/// One of the few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    value: &'static str,
    label: String,
    called: Option<(&'static str, &'static str)>,
}

impl Segment {
    /// A value and its name.
    pub fn new(value: &'static str, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), called: None }
    }

    /// Says what a screen reader calls it, and the tag of the language that this name is in.
    pub fn called(self, name: &'static str, language: &'static str) -> Self {
        Self { called: Some((name, language)), ..self }
    }
}

/// The control.
#[component]
pub fn Segments(
    /// What is chosen by it.
    #[prop(into)]
    label: Signal<&'static str>,
    /// What there is to choose from.
    #[prop(into)]
    segments: Signal<Vec<Segment>>,
    /// The value that is chosen.
    #[prop(into)]
    chosen: Signal<String>,
    /// Called with another value.
    #[prop(into)]
    on_choose: Callback<String>,
) -> impl IntoView {
    let name = StoredValue::new(field_id());
    view! {
        <fieldset class="segments">
            <legend class="unseen">{move || label.get()}</legend>
            <For each=move || segments.get() key=|segment| (segment.value, segment.label.clone()) let(segment)>
                <label class="segments__choice">
                    <input
                        type="radio"
                        name=name.get_value()
                        value=segment.value
                        aria-label=segment.called.map(|(name, _)| name)
                        lang=segment.called.map(|(_, language)| language)
                        prop:checked=move || chosen.get() == segment.value
                        on:change=move |_| on_choose.run(segment.value.to_owned())
                    />
                    {segment.label}
                </label>
            </For>
        </fieldset>
    }
}
