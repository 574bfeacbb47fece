//! Whether what the rows refer to is there.

use std::collections::HashSet;

use diesel::QueryResult;

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
pub struct References([Known; 4]);

struct Known {
    table: Referenced,
    ids: HashSet<i64>,
}

impl References {
    /// Nothing is known yet.
    pub fn new() -> Self {
        let tables = [Referenced::User, Referenced::Course, Referenced::Lesson, Referenced::Package];
        Self(tables.map(|table| Known { table, ids: HashSet::new() }))
    }

    /// Refuses the rows of a chunk that refer to what is not there.
    pub async fn check(&mut self, conn: &mut Connection, chunk: &mut Chunk) -> QueryResult<()> {
        for Known { table, ids } in &mut self.0 {
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
            let found: HashSet<i64> = table.existing(conn, &asked).await?.into_iter().collect();
            let missing: HashSet<i64> = asked.into_iter().filter(|id| !found.contains(id)).collect();
            if !missing.is_empty() {
                let is_missing = |row: &StagedSnapshot| id(row, *table).filter(|id| missing.contains(id));
                let refused = chunk.good.extract_if(.., |(row, _)| is_missing(row).is_some());
                chunk.refused.extend(refused.map(|(row, text)| {
                    let value = is_missing(&row).map(|id| id.to_string()).unwrap_or_default();
                    let column = Some(Column::from(*table));
                    (row.line, Refusal { column, value, problem: CellProblem::UnknownId }, text)
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

fn id(row: &StagedSnapshot, table: Referenced) -> Option<i64> {
    match table {
        Referenced::User => Some(row.person_id),
        Referenced::Course => row.course_id,
        Referenced::Lesson => row.lesson_id,
        Referenced::Package => row.practice_package_id,
    }
}
