//! The part of a grant that needs the database: whether the course or lesson of a Teacher Admin's filter exists and is
//! assigned to them.

use diesel_async::AsyncPgConnection;
use domain::access::{CourseScope, Denied, Role};
use domain::dataset::FilterKey;
use domain::{Dataset, Filter, Grant, Viewer};

use crate::error::Result;
use crate::models::course;

/// A grant to read rows; see [`Grant::to_read`].
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

/// A grant to export rows to a file; see [`Grant::to_export`].
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

/// Rejects a filter outside the viewer's courses. The grant itself limits the rows, so without this check the result
/// would be empty instead of an error.
async fn check_scope(conn: &mut AsyncPgConnection, viewer: &Viewer, grant: &Grant) -> Result<()> {
    if viewer.role != Role::TeacherAdmin {
        return Ok(());
    }
    let filter = grant.filter();
    let course = match (filter.id(FilterKey::COURSE_ID), filter.id(FilterKey::LESSON_ID)) {
        (Some(course), _) => course::exists(conn, course).await?.then_some(course),
        (None, Some(lesson)) => course::of_lesson(conn, lesson).await?,
        (None, None) => return Ok(()),
    };
    match (course, grant.courses()) {
        (None, CourseScope::Any) => Err(Denied::ScopeUnknown.into()),
        // Does not reveal whether the lesson exists in another course.
        (None, CourseScope::Assigned(_)) => Err(Denied::CourseNotAssigned.into()),
        (Some(course), CourseScope::Assigned(assigned)) if !assigned.contains(&course) => {
            Err(Denied::CourseNotAssigned.into())
        }
        (Some(_), CourseScope::Any | CourseScope::Assigned(_)) => Ok(()),
    }
}
