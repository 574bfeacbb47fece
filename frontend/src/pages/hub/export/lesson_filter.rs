//! The lesson filter.

use domain::dataset::FilterKey;
use leptos::prelude::*;

use super::name_filter::{NameFilter, Query, SearchFuture};
use super::state::ExportState;
use crate::api::courses::{Lessons, MAX_MATCHES, lessons};
use crate::session::use_session;
use crate::ui::combobox::SearchResult;

/// A combobox that searches lessons by title, in the selected course or in all.
#[component]
pub fn LessonFilter() -> impl IntoView {
    let session = use_session();
    let search = move |query: Query| -> SearchFuture {
        let Query { text, within, .. } = query;
        let variables = lessons::Variables { course_id: within, search: Some(text), first: MAX_MATCHES };
        Box::pin(async move {
            let response = session.run::<Lessons>(variables).await?;
            let found = |lesson: lessons::LessonsLessons| SearchResult {
                value: lesson.id,
                label: lesson.title,
                hint: Some(lesson.course.title),
            };
            Ok(response.lessons.into_iter().map(found).collect())
        })
    };
    let choose = |state: ExportState, lesson: Option<String>| {
        state.change(|page| page.set(FilterKey::LESSON_ID, &lesson.unwrap_or_default()));
    };
    view! {
        <NameFilter
            key=FilterKey::LESSON_ID
            within=FilterKey::COURSE_ID
            placeholder=|texts| texts.all_lessons
            search
            choose
        />
    }
}
