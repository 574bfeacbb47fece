//! The filter by lesson.

use domain::filter::FilterKey;
use leptos::prelude::*;

use super::name_filter::{NameFilter, Query, Search};
use super::state::ExportState;
use crate::api::courses::{Lessons, MATCHES, lessons};
use crate::session::use_session;
use crate::ui::combobox::Match;

/// One lesson, found by its title, of the chosen course or of any.
#[component]
pub fn LessonFilter() -> impl IntoView {
    let session = use_session();
    let search = move |query: Query| -> Search {
        let Query { text, within, .. } = query;
        let variables = lessons::Variables { course_id: within, search: Some(text), first: MATCHES };
        Box::pin(async move {
            let answer = session.run::<Lessons>(variables).await?;
            let found = |lesson: lessons::LessonsLessons| Match {
                value: lesson.id,
                label: lesson.title,
                hint: Some(lesson.course.title),
            };
            Ok(answer.lessons.into_iter().map(found).collect())
        })
    };
    let choose = |state: ExportState, lesson: Option<String>| {
        state.change(|page| page.set(FilterKey::LessonId, &lesson.unwrap_or_default()));
    };
    view! {
        <NameFilter
            key=FilterKey::LessonId
            within=FilterKey::CourseId
            placeholder=|words| words.all_lessons
            search
            choose
        />
    }
}
