//! The course filter.

use domain::dataset::FilterKey;
use leptos::prelude::*;

use super::name_filter::{NameFilter, Query, SearchFuture};
use super::state::ExportState;
use crate::api::courses::{Courses, MAX_MATCHES, courses};
use crate::session::use_session;
use crate::ui::combobox::SearchResult;

/// A combobox that searches courses by title.
#[component]
pub fn CourseFilter() -> impl IntoView {
    let session = use_session();
    let search = move |query: Query| -> SearchFuture {
        let variables = courses::Variables { search: Some(query.text), first: MAX_MATCHES };
        Box::pin(async move {
            let response = session.run::<Courses>(variables).await?;
            let found = |course: courses::CoursesCourses| SearchResult {
                value: course.id,
                label: course.title,
                hint: Some(course.slug),
            };
            Ok(response.courses.into_iter().map(found).collect())
        })
    };
    // The selected lesson may belong to another course.
    let choose = |state: ExportState, course: Option<String>| {
        state.change(|page| {
            page.set(FilterKey::COURSE_ID, &course.unwrap_or_default());
            page.set(FilterKey::LESSON_ID, "");
        });
    };
    view! { <NameFilter key=FilterKey::COURSE_ID placeholder=|texts| texts.all_courses search choose /> }
}
