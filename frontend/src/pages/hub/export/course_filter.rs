//! The filter by course.

use domain::filter::FilterKey;
use leptos::prelude::*;

use super::name_filter::{NameFilter, Query, Search};
use super::state::ExportState;
use crate::api::courses::{Courses, MATCHES, courses};
use crate::session::use_session;
use crate::ui::combobox::Match;

/// One course, found by its title.
#[component]
pub fn CourseFilter() -> impl IntoView {
    let session = use_session();
    let search = move |query: Query| -> Search {
        let variables = courses::Variables { search: Some(query.text), first: MATCHES };
        Box::pin(async move {
            let answer = session.run::<Courses>(variables).await?;
            let found = |course: courses::CoursesCourses| Match {
                value: course.id,
                label: course.title,
                hint: Some(course.slug),
            };
            Ok(answer.courses.into_iter().map(found).collect())
        })
    };
    // Another course has other lessons.
    let choose = |state: ExportState, course: Option<String>| {
        state.change(|page| {
            page.set(FilterKey::CourseId, &course.unwrap_or_default());
            page.set(FilterKey::LessonId, "");
        });
    };
    view! { <NameFilter key=FilterKey::CourseId placeholder=|words| words.all_courses search choose /> }
}
