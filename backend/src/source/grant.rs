//! The part of a grant that only the database can check: does what a Teacher Admin names exist, and is it theirs?

use diesel_async::AsyncPgConnection;
use domain::access::{CourseScope, Denied, Role};
use domain::{Dataset, Filter, Grant, Viewer};

use crate::error::Result;
use crate::models::course;

/// Leave to read rows on a page; see [`Grant::to_read`].
pub async fn to_read(
    conn: &mut AsyncPgConnection,
    viewer: &Viewer,
    dataset: Dataset,
    filter: Filter,
) -> Result<Grant> {
    let grant = Grant::to_read(viewer, dataset, filter)?;
    check_scope(conn, viewer, &grant).await?;
    Ok(grant)
}

/// Leave to take rows away in a file; see [`Grant::to_export`].
pub async fn to_export(
    conn: &mut AsyncPgConnection,
    viewer: &Viewer,
    dataset: Dataset,
    filter: Filter,
) -> Result<Grant> {
    let grant = Grant::to_export(viewer, dataset, filter)?;
    check_scope(conn, viewer, &grant).await?;
    Ok(grant)
}

/// The rows are limited by the grant itself; this only says in words what would else be an empty answer.
async fn check_scope(conn: &mut AsyncPgConnection, viewer: &Viewer, grant: &Grant) -> Result<()> {
    if viewer.role != Role::TeacherAdmin {
        return Ok(());
    }
    let filter = grant.filter();
    let course = match (filter.course_id, filter.lesson_id) {
        (Some(course), _) => course::exists(conn, course).await?.then_some(course),
        (None, Some(lesson)) => course::of_lesson(conn, lesson).await?,
        (None, None) => return Ok(()),
    };
    match (course, grant.courses()) {
        (None, CourseScope::Any) => Err(Denied::ScopeUnknown.into()),
        // Whether there is such a lesson elsewhere is not told.
        (None, CourseScope::Assigned(_)) => Err(Denied::CourseNotAssigned.into()),
        (Some(course), CourseScope::Assigned(assigned)) if !assigned.contains(&course) => {
            Err(Denied::CourseNotAssigned.into())
        }
        (Some(_), CourseScope::Any | CourseScope::Assigned(_)) => Ok(()),
    }
}
