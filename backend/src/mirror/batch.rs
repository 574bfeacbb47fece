//! The rows of a call, and the errors in them.

use std::collections::{HashMap, HashSet};

use domain::text::Phrase;

use super::problem::Problem;
use super::reader::{Reader, Reference};
use super::{Authority, MAX_ROWS, Mirrored};
use crate::db::Connection;
use crate::error::{Error, InvalidField, Result};
use crate::models::reference::ReferencedTable;

/// A row with its index in the call.
pub type Indexed<R> = (usize, R);

/// The rows of one call that could be parsed, and the errors found so far.
#[derive(Debug)]
pub struct Batch<R> {
    rows: Vec<Indexed<R>>,
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

impl<R> Batch<R> {
    /// Parses the rows of a call. Too many rows are an error.
    pub fn read<S>(sent: Vec<S>, mut read: impl FnMut(S, &mut Reader) -> Option<R>) -> Result<Self> {
        if sent.len() > MAX_ROWS {
            let message = Phrase::new(
                format!("Demasiadas filas: {}. Se aceptan hasta {MAX_ROWS} por llamada.", sent.len()),
                format!("Too many rows: {}. Accepted: up to {MAX_ROWS} per call.", sent.len()),
            );
            return Err(Error::invalid("input", message));
        }
        let mut reader = Reader::default();
        let mut rows = Vec::with_capacity(sent.len());
        for (index, sent) in sent.into_iter().enumerate() {
            reader.start_row(index);
            rows.extend(read(sent, &mut reader).map(|row| (index, row)));
        }
        let (references, problems) = reader.into_parts();
        Ok(Self { rows, references, problems })
    }
}

/// Rows that passed all checks.
pub(super) struct CheckedRows<R> {
    pub(super) rows: Vec<R>,
    /// The rows that the caller is not authorised to store.
    pub(super) refused: Vec<InvalidField>,
}

impl<R: Mirrored> Batch<R> {
    /// The keys of the rows, in the order they were sent.
    pub(super) fn keys(&self) -> Vec<R::Key> {
        self.keys_where(|_| true)
    }

    /// The keys of the rows that satisfy the predicate.
    pub(super) fn keys_where(&self, predicate: impl Fn(&R) -> bool) -> Vec<R::Key> {
        self.rows.iter().map(|(_, row)| row).filter(|row| predicate(row)).map(Mirrored::key).collect()
    }

    /// Checks the rows, and returns them if there are no errors. An unchanged row needs no authority.
    pub(super) async fn check(
        self,
        conn: &mut Connection,
        authority: Authority,
        changes: impl Fn(&R) -> bool,
    ) -> Result<CheckedRows<R>> {
        let Self { rows, references, mut problems } = self;
        problems.extend(missing_references(conn, references).await?);
        problems.extend(duplicates(&rows));
        let (mut rows, unchanged): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| changes(row));
        let refused = R::refused_rows(conn, &rows, authority).await?;
        let refused_indices: HashSet<usize> = refused.iter().map(|problem| problem.index).collect();
        rows.retain(|(index, _)| !refused_indices.contains(index));
        rows.extend(unchanged);
        problems.extend(R::free_unique_values(conn, &rows).await?);
        if problems.is_empty() {
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            return Ok(CheckedRows { rows, refused: sort_by_index(refused) });
        }
        Err(Error::Invalid(sort_by_index(problems)))
    }
}

fn sort_by_index(mut problems: Vec<Problem>) -> Vec<InvalidField> {
    problems.sort_by_key(|problem| problem.index);
    problems.into_iter().map(InvalidField::from).collect()
}

/// Reports rows with the key of an earlier one: it is unclear which of them to store.
fn duplicates<R: Mirrored>(rows: &[Indexed<R>]) -> Vec<Problem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for (index, row) in rows {
        let first = *seen.entry(row.key()).or_insert(*index);
        if first != *index {
            problems.push(Problem::new(
                *index,
                R::KEY_FIELD,
                Phrase::new(
                    format!(
                        "Duplicado de input[{first}]. Cada fila puede aparecer una sola vez por llamada."
                    ),
                    format!("Duplicate of input[{first}]. Each row may appear only once per call."),
                ),
            ));
        }
    }
    problems
}

/// Reports references to rows that do not exist, with one query per table.
async fn missing_references(conn: &mut Connection, references: Vec<Reference>) -> Result<Vec<Problem>> {
    let mut missing_ids: HashMap<ReferencedTable, HashSet<i64>> = HashMap::new();
    for reference in &references {
        missing_ids.entry(reference.to).or_default().insert(reference.id);
    }
    for (table, ids) in &mut missing_ids {
        let requested: Vec<i64> = ids.iter().copied().collect();
        for found in table.existing(conn, &requested).await? {
            ids.remove(&found);
        }
    }
    let is_missing = |reference: &Reference| missing_ids[&reference.to].contains(&reference.id);
    Ok(references.into_iter().filter(is_missing).map(Problem::from).collect())
}
