//! A filter whose value is selected from a list or typed.

use domain::dataset::{FilterField, FilterKind};
use leptos::prelude::*;

use super::state::use_export;
use crate::i18n::use_i18n;
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::select::{Choice, Select};

/// A list of choices, a text field with suggestions, or an id field.
#[component]
pub fn ValueFilter(field: &'static FilterField) -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let value = Memo::new(move |_| state.page().value(field.key).to_owned());
    let change = move |value: String| state.change(|page| page.set(field.key, &value));
    let problem = move || state.problem(field.key);
    let choices = Signal::derive(move || {
        let all = Choice::new("", i18n.messages().filters.all);
        std::iter::once(all)
            .chain(field.choices.iter().map(|choice| Choice::new(choice.value, i18n.text(choice.title))))
            .collect::<Vec<_>>()
    });
    let is_id = field.kind == FilterKind::Id;
    let placeholder = move || {
        let texts = &i18n.messages().filters;
        if is_id { texts.any_id } else { texts.all }
    };
    let suggestions = format!("{id}-suggestions");
    view! {
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.text(field.key.title()))
            error=Signal::derive(problem)
        >
            {match field.kind {
                FilterKind::Choice => view! {
                    <Select
                        id=id
                        choices
                        selected=value
                        on_select=change
                        is_invalid=Signal::derive(move || problem().is_some())
                    />
                }
                .into_any(),
                FilterKind::Date
                | FilterKind::Course
                | FilterKind::Lesson
                | FilterKind::Id
                | FilterKind::Text => view! {
                    <input
                        id=id.clone()
                        class="field__control"
                        inputmode=is_id.then_some("numeric")
                        list=suggestions.clone()
                        autocomplete="off"
                        aria-describedby=description_id(&id)
                        aria-invalid=move || problem().is_some().to_string()
                        placeholder=placeholder
                        prop:value=value
                        on:change:target=move |event| change(event.target().value())
                    />
                    <datalist id=suggestions>
                        {field.choices.iter().map(|choice| view! {
                            <option value=choice.value label=move || i18n.text(choice.title)></option>
                        }).collect_view()}
                    </datalist>
                }
                .into_any(),
            }}
        </Field>
    }
}
