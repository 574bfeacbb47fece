//! Filters by something that has a name: a course, or a lesson of the chosen course.

use std::collections::HashMap;
use std::pin::Pin;

use domain::filter::FilterKey;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::state::{ExportState, use_export};
use crate::api::courses::{Courses, Lessons, MATCHES, courses, lessons};
use crate::api::failure::Failure;
use crate::i18n::explain::explain;
use crate::i18n::use_i18n;
use crate::session::use_session;
use crate::ui::combobox::{Combobox, Match, Matches, Words};
use crate::ui::field::{Field, field_id};

/// How long typing must pause before a search, in milliseconds.
const PAUSE: u32 = 200;

/// A search under way.
type Search = Pin<Box<dyn Future<Output = Result<Vec<Match>, Failure>>>>;

/// One course, found by its title.
#[component]
pub fn CourseFilter() -> impl IntoView {
    let session = use_session();
    let search = move |text: String| -> Search {
        Box::pin(async move {
            let variables = courses::Variables { search: Some(text), first: MATCHES };
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

/// One lesson, found by its title, of the chosen course or of any.
#[component]
pub fn LessonFilter() -> impl IntoView {
    let session = use_session();
    let state = use_export();
    let search = move |text: String| -> Search {
        let course = state.page().value(FilterKey::CourseId).to_owned();
        Box::pin(async move {
            let variables = lessons::Variables {
                course_id: Some(course).filter(|course| !course.is_empty()),
                search: Some(text),
                first: MATCHES,
            };
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

/// The combobox with a search behind it. What is chosen is kept by its id; its name is looked up when it is not known.
#[component]
fn NameFilter(
    key: FilterKey,
    placeholder: fn(&crate::i18n::messages::Filters) -> &'static str,
    search: impl Fn(String) -> Search + Copy + 'static,
    choose: fn(ExportState, Option<String>),
) -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let id = field_id();
    let names = StoredValue::new(HashMap::<String, String>::new());
    let keep = move |found: &[Match]| {
        names.update_value(|names| {
            names.extend(found.iter().map(|found| (found.value.clone(), found.label.clone())));
        });
    };
    let wanted = RwSignal::new(None::<String>);
    let found = LocalResource::new(move || {
        let search = wanted.get().map(|text| (TimeoutFuture::new(PAUSE), search(text)));
        async move {
            let (pause, search) = search?;
            pause.await;
            let found = search.await;
            if let Ok(found) = &found {
                keep(found);
            }
            Some(found)
        }
    });
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        found.get();
        busy.set(false);
    });
    let matches = Signal::derive(move || match found.get() {
        _ if busy.get() => Matches::Searching,
        Some(Some(Ok(found))) => Matches::Found(found),
        Some(Some(Err(failure))) => Matches::Failed(explain(&failure, i18n.locale()).what),
        Some(None) | None => Matches::Searching,
    });
    let value = Memo::new(move |_| Some(state.page().value(key).to_owned()).filter(|id| !id.is_empty()));
    let looked_up = LocalResource::new(move || {
        let lookup =
            value.get().map(|id| (names.with_value(|names| names.get(&id).cloned()), search(id.clone()), id));
        async move {
            let (known, search, id) = lookup?;
            if known.is_some() {
                return known;
            }
            let found = search.await.ok()?;
            found.into_iter().find(|found| found.value == id).map(|found| found.label)
        }
    });
    let chosen = Signal::derive(move || {
        let name = looked_up.get().flatten();
        value.get().map(|id| {
            let known = names.with_value(|names| names.get(&id).cloned());
            known.or(name).unwrap_or_else(|| (i18n.messages().filters.by_id)(&id))
        })
    });
    let words = Signal::derive(move || {
        let (frame, filters) = (&i18n.messages().frame, &i18n.messages().filters);
        Words {
            placeholder: placeholder(filters),
            clear: frame.clear,
            searching: filters.searching,
            no_match: filters.no_match,
            matches: filters.matches,
        }
    });
    let chosen_another = move |value: Option<String>| choose(state, value);
    view! {
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.text(key.title()))
            error=Signal::derive(move || state.problem(key))
        >
            <Combobox
                id=id.clone()
                words
                chosen
                matches
                on_search=move |text: String| {
                    busy.set(true);
                    wanted.set(Some(text));
                }
                on_choose=chosen_another
            />
        </Field>
    }
}
