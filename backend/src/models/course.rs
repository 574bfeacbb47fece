//! Courses and their lessons.

use std::collections::BTreeMap;

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::access::{CourseScope, Role};
use domain::{Locale, Viewer};
use serde::Deserialize as _;
use serde_json::Value;

use crate::db::schema::{course_teacher, courses, lessons};
use crate::id::Id;

/// A course.
#[derive(Debug, HasQuery)]
#[diesel(table_name = courses)]
pub struct CourseRow {
    pub id: Id,
    pub slug: String,
    titles: Value,
}

impl CourseRow {
    /// The title in this language. Falls back to any other language, then to the slug.
    pub fn title(&self, locale: Locale) -> String {
        let titles = BTreeMap::<String, String>::deserialize(&self.titles).unwrap_or_default();
        titles.get(locale.tag()).or_else(|| titles.values().next()).unwrap_or(&self.slug).clone()
    }
}

/// A lesson with its course.
#[derive(Debug, HasQuery)]
#[diesel(table_name = lessons)]
#[diesel(base_query = lessons::table.inner_join(courses::table))]
pub struct LessonRow {
    pub id: Id,
    pub title: String,
    #[diesel(embed)]
    pub course: CourseRow,
}

impl LessonRow {
    /// The lessons with these ids.
    pub async fn find(conn: &mut AsyncPgConnection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        Self::query().filter(lessons::id.eq_any(ids)).load(conn).await
    }

    /// The lesson with the lowest id.
    pub async fn first(conn: &mut AsyncPgConnection) -> QueryResult<Option<Self>> {
        Self::query().order(lessons::id).first(conn).await.optional()
    }
}

/// The ids and titles of the courses with these ids, in this language. Unknown ids are left out.
pub async fn titles(
    conn: &mut AsyncPgConnection,
    ids: &[i64],
    locale: Locale,
) -> QueryResult<Vec<(i64, String)>> {
    let found = CourseRow::query().filter(courses::id.eq_any(ids)).load(conn).await?;
    Ok(found.into_iter().map(|course| (course.id.0, course.title(locale))).collect())
}

/// The ids and titles of the lessons with these ids. Unknown ids are left out.
pub async fn lesson_titles(conn: &mut AsyncPgConnection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
    lessons::table.filter(lessons::id.eq_any(ids)).select((lessons::id, lessons::title)).load(conn).await
}

/// Whether a course with this id exists.
pub async fn exists(conn: &mut AsyncPgConnection, id: i64) -> QueryResult<bool> {
    select(diesel::dsl::exists(courses::table.find(id))).get_result(conn).await
}

/// The id of a lesson's course. `None` if the lesson does not exist.
pub async fn of_lesson(conn: &mut AsyncPgConnection, lesson: i64) -> QueryResult<Option<i64>> {
    lessons::table.find(lesson).select(lessons::course_id).first(conn).await.optional()
}

/// The courses that are assigned to a user.
pub async fn assigned_to(conn: &mut AsyncPgConnection, user_id: i64) -> QueryResult<Vec<CourseRow>> {
    let assigned = course_teacher::table
        .filter(course_teacher::teacher_id.eq(user_id))
        .select(course_teacher::course_id);
    CourseRow::query()
        .filter(courses::id.eq_any(assigned))
        .order((courses::slug, courses::id))
        .load(conn)
        .await
}

/// Courses that the viewer may refer to and that match by title, slug or id. A match by id comes first.
pub async fn search(
    conn: &mut AsyncPgConnection,
    viewer: &Viewer,
    text: Option<&str>,
    limit: i64,
) -> QueryResult<Vec<CourseRow>> {
    let text = non_blank(text);
    // No course has the id 0.
    let id: i64 = text.and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut query = CourseRow::query()
        .order((courses::id.eq(id).desc(), courses::slug, courses::id))
        .limit(limit)
        .into_boxed();
    if let Some(assigned) = assigned_courses(viewer) {
        query = query.filter(courses::id.eq_any(assigned));
    }
    if let Some(text) = text {
        let pattern = contains_pattern(text);
        let in_titles = sql::<Bool>(
            "EXISTS (SELECT FROM jsonb_each_text(courses.titles) AS title WHERE title.value ILIKE ",
        )
        .bind::<Text, _>(pattern.clone())
        .sql(")");
        query = query.filter(courses::slug.ilike(pattern).or(courses::id.eq(id)).or(in_titles));
    }
    query.load(conn).await
}

/// Lessons of courses that the viewer may refer to, with a title or id that matches. A match by id comes
/// first.
pub async fn search_lessons(
    conn: &mut AsyncPgConnection,
    viewer: &Viewer,
    course: Option<i64>,
    text: Option<&str>,
    limit: i64,
) -> QueryResult<Vec<LessonRow>> {
    let text = non_blank(text);
    // No lesson has the id 0.
    let id: i64 = text.and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut query = LessonRow::query()
        .order((lessons::id.eq(id).desc(), lessons::title, lessons::id))
        .limit(limit)
        .into_boxed();
    if let Some(assigned) = assigned_courses(viewer) {
        query = query.filter(lessons::course_id.eq_any(assigned));
    }
    if let Some(course) = course {
        query = query.filter(lessons::course_id.eq(course));
    }
    if let Some(text) = text {
        query = query.filter(lessons::title.ilike(contains_pattern(text)).or(lessons::id.eq(id)));
    }
    query.load(conn).await
}

fn assigned_courses(viewer: &Viewer) -> Option<&Vec<i64>> {
    match (&viewer.courses, viewer.role) {
        (CourseScope::Assigned(ids), Role::TeacherAdmin) => Some(ids),
        _ => None,
    }
}

fn non_blank(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An `ILIKE` pattern that matches values containing the text. Wildcards in the text are escaped.
pub(super) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        match character {
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            // PostgreSQL text cannot contain NUL, so the pattern must match nothing.
            '\0' => pattern.push(char::REPLACEMENT_CHARACTER),
            _ => pattern.push(character),
        }
    }
    pattern.push('%');
    pattern
}
