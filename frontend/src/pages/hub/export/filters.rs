//! The filters of the selected dataset.

use domain::Dataset;
use domain::dataset::{FilterField, FilterKey, FilterKind};
use leptos::prelude::*;

use super::course_filter::CourseFilter;
use super::date_filter::DateFilter;
use super::lesson_filter::LessonFilter;
use super::state::use_export;
use super::value_filter::ValueFilter;
use crate::i18n::use_i18n;

/// A control for each filter of the dataset. The start and the end of a period share one.
#[component]
pub fn Filters() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    // The key keeps the controls that both datasets have when the dataset changes.
    let fields = move || state.dataset().map(fields_with_control).unwrap_or_default();
    view! {
        <div class="filters" role="group" aria-label=move || i18n.messages().filters.title>
            <For
                each=fields
                key=|field| (field.key.key(), field.choices.as_ptr())
                children=|field| match field.kind {
                    FilterKind::Date => view! { <DateFilter /> }.into_any(),
                    FilterKind::Course => view! { <CourseFilter /> }.into_any(),
                    FilterKind::Lesson => view! { <LessonFilter /> }.into_any(),
                    FilterKind::Id | FilterKind::Text | FilterKind::Choice => {
                        view! { <ValueFilter field=field /> }.into_any()
                    }
                }
            />
        </div>
        <Show when=move || state.page().has_filters()>
            <div>
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| state.change(crate::address::ExportQuery::clear_filters)
                >
                    {move || i18n.messages().filters.clear_all}
                </button>
            </div>
        </Show>
    }
}

/// The filters that have their own control. The control of a period's start includes its end.
fn fields_with_control(dataset: Dataset) -> Vec<&'static FilterField> {
    dataset.describe().filters.iter().filter(|field| field.key != FilterKey::DATE_TO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_of_every_dataset_has_a_control() {
        for dataset in Dataset::ALL {
            let fields = dataset.describe().filters;
            let period = fields.iter().filter(|field| field.kind == FilterKind::Date).count();
            assert!(period == 0 || period == 2, "{} has only one end of a period", dataset.key());
            assert_eq!(fields_with_control(dataset).len(), fields.len() - period / 2, "{}", dataset.key());
        }
    }
}
