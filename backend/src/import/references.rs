//! Checks that the ids that rows refer to exist, and that the importer may access them.

use std::collections::HashSet;

use domain::access::{CourseScope, ImportableRows};

use super::POOL_TIMEOUT;
use super::cell_problem::CellProblem;
use super::chunk::Chunk;
use super::column::Column;
use super::row::Rejection;
use crate::db::Pool;
use crate::error::Result;
use crate::models::reference::ReferencedTable;

/// The maximum number of cached ids per table. A file usually has far more rows than people or courses.
const CACHE_CAPACITY: usize = 200_000;

/// A cache of the ids that exist. They are looked up on connections of the pool, each for a moment. Missing ids are looked up again for each chunk.
pub struct References {
    rows: ImportableRows,
    known: [KnownIds; 4],
}

struct KnownIds {
    table: ReferencedTable,
    ids: HashSet<i64>,
}

impl References {
    /// Starts with an empty cache. Only these rows are accepted.
    pub fn new(rows: ImportableRows) -> Self {
        // Users come last, so that rows outside a Teacher Admin's courses do not reveal which users exist.
        let tables = [
            ReferencedTable::Course,
            ReferencedTable::Lesson,
            ReferencedTable::Package,
            ReferencedTable::User,
        ];
        Self { rows, known: tables.map(|table| KnownIds { table, ids: HashSet::new() }) }
    }

    /// Rejects the rows of a chunk with a reference that does not exist or that the importer may not access.
    pub async fn check(&mut self, pool: &Pool, chunk: &mut Chunk) -> Result<()> {
        let Self { rows, known } = self;
        if rows.must_name_course_or_lesson() {
            chunk.reject(|row| {
                let course_or_lesson = row.id(ReferencedTable::Course).or(row.id(ReferencedTable::Lesson));
                let (column, problem) = (Some(Column::Course), CellProblem::NoCourseOrLesson);
                course_or_lesson.is_none().then(|| Rejection { column, value: String::new(), problem })
            });
        }
        for KnownIds { table, ids } in known {
            let requested: HashSet<i64> =
                chunk.good.iter().filter_map(|row| row.id(*table)).filter(|id| !ids.contains(id)).collect();
            if requested.is_empty() {
                continue;
            }
            let requested: Vec<i64> = requested.into_iter().collect();
            let conn = &mut *pool.get_within(POOL_TIMEOUT).await?;
            let found: HashSet<i64> =
                table.existing_in_courses(conn, &requested, rows.courses()).await?.into_iter().collect();
            let missing: HashSet<i64> = requested.into_iter().filter(|id| !found.contains(id)).collect();
            let problem = problem_for(*table, rows.courses());
            if !missing.is_empty() {
                chunk.reject(|row| {
                    let id = row.id(*table).filter(|id| missing.contains(id))?;
                    Some(Rejection { column: Some(Column::from(*table)), value: id.to_string(), problem })
                });
            }
            if ids.len() + found.len() > CACHE_CAPACITY {
                ids.clear();
            }
            ids.extend(found);
        }
        Ok(())
    }
}

/// The problem with an id that was not found. If the importer is limited to some courses, it does not reveal
/// whether the id exists elsewhere.
fn problem_for(table: ReferencedTable, courses: &CourseScope) -> CellProblem {
    match (table, courses) {
        (
            ReferencedTable::Course | ReferencedTable::Lesson | ReferencedTable::Package,
            CourseScope::Assigned(_),
        ) => CellProblem::NotInYourCourses,
        (ReferencedTable::User, _)
        | (ReferencedTable::Course | ReferencedTable::Lesson | ReferencedTable::Package, CourseScope::Any) => {
            CellProblem::UnknownId
        }
    }
}
