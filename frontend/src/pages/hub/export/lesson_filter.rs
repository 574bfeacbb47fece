//! The filter by lesson.

use domain::filter::FilterKey;
use leptos::prelude::*;

use super::name_filter::{NameFilter, Search};
use super::state::{ExportState, use_export};
use crate::api::courses::{Lessons, MATCHES, lessons};
use crate::session::use_session;
use crate::ui::combobox::Match;

/// One lesson, found by its title, of the chosen course or of any.
#[component]
pub fn LessonFilter() -> impl IntoView {
    let session = use_session();
    let state = use_export();
    let search = move |text: String| -> Search {
        let course = untrack(|| state.page()).value(FilterKey::CourseId).to_owned();
        let variables = lessons::Variables {
            course_id: Some(course).filter(|course| !course.is_empty()),
            search: Some(text),
            first: MATCHES,
        };
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
    view! { <NameFilter key=FilterKey::LessonId placeholder=|words| words.all_lessons search choose /> }
}
