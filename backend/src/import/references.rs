//! Whether what the rows refer to is there, and within what whoever imports them may read.

use std::collections::HashSet;

use diesel::QueryResult;
use domain::access::{CourseScope, ImportableRows};

use super::cell_problem::CellProblem;
use super::chunk::Chunk;
use super::column::Column;
use super::row::Refusal;
use crate::db::Connection;
use crate::models::reference::Referenced;
use crate::models::staged_snapshot::StagedSnapshot;

/// So many ids of one table are remembered; a file has far more rows than people or courses.
const REMEMBERED: usize = 200_000;

/// What an import has found to be there. What is not there is asked for again with each chunk.
pub struct References {
    rows: ImportableRows,
    known: [Known; 4],
}

struct Known {
    table: Referenced,
    ids: HashSet<i64>,
}

impl References {
    /// Nothing is known yet. Other rows than these are refused.
    pub fn new(rows: ImportableRows) -> Self {
        // Users last: of rows outside their courses, a Teacher Admin does not learn whom they could name.
        let tables = [Referenced::Course, Referenced::Lesson, Referenced::Package, Referenced::User];
        Self { rows, known: tables.map(|table| Known { table, ids: HashSet::new() }) }
    }

    /// Refuses the rows of a chunk that refer to what is not there, or is not for whoever imports them.
    pub async fn check(&mut self, conn: &mut Connection, chunk: &mut Chunk) -> QueryResult<()> {
        let Self { rows, known } = self;
        if rows.must_name_a_place() {
            let nowhere = chunk.good.extract_if(.., |(row, _)| row.course_id.or(row.lesson_id).is_none());
            chunk.refused.extend(nowhere.map(|(row, text)| {
                let (column, problem) = (Some(Column::Course), CellProblem::NoCourseOrLesson);
                (row.line, Refusal { column, value: String::new(), problem }, text)
            }));
        }
        for Known { table, ids } in known {
            let asked: HashSet<i64> = chunk
                .good
                .iter()
                .filter_map(|(row, _)| id(row, *table))
                .filter(|id| !ids.contains(id))
                .collect();
            if asked.is_empty() {
                continue;
            }
            let asked: Vec<i64> = asked.into_iter().collect();
            let found: HashSet<i64> =
                table.existing_in(conn, &asked, rows.courses()).await?.into_iter().collect();
            let missing: HashSet<i64> = asked.into_iter().filter(|id| !found.contains(id)).collect();
            if !missing.is_empty() {
                let problem = missing_in(*table, rows.courses());
                let is_missing = |row: &StagedSnapshot| id(row, *table).filter(|id| missing.contains(id));
                let refused = chunk.good.extract_if(.., |(row, _)| is_missing(row).is_some());
                chunk.refused.extend(refused.map(|(row, text)| {
                    let value = is_missing(&row).map(|id| id.to_string()).unwrap_or_default();
                    let column = Some(Column::from(*table));
                    (row.line, Refusal { column, value, problem }, text)
                }));
            }
            if ids.len() + found.len() > REMEMBERED {
                ids.clear();
            }
            ids.extend(found);
        }
        Ok(())
    }
}

/// What is wrong with an id that was not found. Where courses are out of bounds, so is whether there is one.
fn missing_in(table: Referenced, courses: &CourseScope) -> CellProblem {
    match (table, courses) {
        (Referenced::Course | Referenced::Lesson | Referenced::Package, CourseScope::Assigned(_)) => {
            CellProblem::NotInYourCourses
        }
        (Referenced::User, _)
        | (Referenced::Course | Referenced::Lesson | Referenced::Package, CourseScope::Any) => {
            CellProblem::UnknownId
        }
    }
}

fn id(row: &StagedSnapshot, table: Referenced) -> Option<i64> {
    match table {
        Referenced::User => Some(row.person_id),
        Referenced::Course => row.course_id,
        Referenced::Lesson => row.lesson_id,
        Referenced::Package => row.practice_package_id,
    }
}
