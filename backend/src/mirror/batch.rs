//! A call's rows on their way into the database, and what is wrong with them.

use std::collections::{HashMap, HashSet};

use domain::text::Phrase;

use super::reader::{Reader, Reference};
use super::{Authority, MOST_ROWS, Mirrored};
use crate::db::Connection;
use crate::error::{Error, Invalid, Result};
use crate::models::reference::Referenced;

/// A row with its index in the call.
pub type Numbered<R> = (usize, R);

/// Something wrong with the row of an index.
#[derive(Debug)]
pub struct Problem {
    index: usize,
    field: &'static str,
    message: Phrase,
}

impl Problem {
    /// A wrong field of the row with this index.
    pub fn new(index: usize, field: &'static str, message: impl Into<Phrase>) -> Self {
        Self { index, field, message: message.into() }
    }
}

impl From<Problem> for Invalid {
    fn from(Problem { index, field, message }: Problem) -> Self {
        Self { field: format!("input[{index}].{field}"), message }
    }
}

/// The rows of one call, as far as they could be read.
#[derive(Debug)]
pub struct Batch<R> {
    rows: Vec<Numbered<R>>,
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

impl<R> Batch<R> {
    /// Reads the rows of a call; too many are refused.
    pub fn read<S>(sent: Vec<S>, mut read: impl FnMut(S, &mut Reader) -> Option<R>) -> Result<Self> {
        if sent.len() > MOST_ROWS {
            let message = Phrase::new(
                format!("Demasiadas filas: {}. Se aceptan hasta {MOST_ROWS} por llamada.", sent.len()),
                format!("Too many rows: {}. Accepted: up to {MOST_ROWS} a call.", sent.len()),
            );
            return Err(Error::invalid("input", message));
        }
        let mut reader = Reader::default();
        let mut rows = Vec::with_capacity(sent.len());
        for (index, sent) in sent.into_iter().enumerate() {
            reader.turn_to(index);
            rows.extend(read(sent, &mut reader).map(|row| (index, row)));
        }
        let (references, problems) = reader.into_findings();
        Ok(Self { rows, references, problems })
    }
}

/// Rows with which nothing is wrong.
pub(super) struct Checked<R> {
    /// What is to be stored.
    pub(super) rows: Vec<R>,
    /// What the caller may not store.
    pub(super) refused: Vec<Invalid>,
}

impl<R: Mirrored> Batch<R> {
    /// The keys of the rows, as they were sent.
    pub(super) fn keys(&self) -> Vec<R::Key> {
        self.keys_where(|_| true)
    }

    /// The keys of those rows for which this holds.
    pub(super) fn keys_where(&self, holds: impl Fn(&R) -> bool) -> Vec<R::Key> {
        self.rows.iter().map(|(_, row)| row).filter(|row| holds(row)).map(Mirrored::key).collect()
    }

    /// The rows, if nothing is wrong with any of them. A row that changes nothing needs no authority.
    pub(super) async fn check(
        self,
        conn: &mut Connection,
        authority: Authority,
        changes: impl Fn(&R) -> bool,
    ) -> Result<Checked<R>> {
        let Self { rows, references, mut problems } = self;
        problems.extend(missing(conn, references).await?);
        problems.extend(doubles(&rows));
        let (mut rows, unchanged): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| changes(row));
        let refused = R::refused(conn, &rows, authority).await?;
        let left_out: HashSet<usize> = refused.iter().map(|problem| problem.index).collect();
        rows.retain(|(index, _)| !left_out.contains(index));
        rows.extend(unchanged);
        problems.extend(R::make_room(conn, &rows).await?);
        if problems.is_empty() {
            let rows = rows.into_iter().map(|(_, row)| row).collect();
            return Ok(Checked { rows, refused: in_order(refused) });
        }
        Err(Error::Invalid(in_order(problems)))
    }
}

fn in_order(mut problems: Vec<Problem>) -> Vec<Invalid> {
    problems.sort_by_key(|problem| problem.index);
    problems.into_iter().map(Invalid::from).collect()
}

/// Two rows of one key could be stored in either order, so none is.
fn doubles<R: Mirrored>(rows: &[Numbered<R>]) -> Vec<Problem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for (index, row) in rows {
        let first = *seen.entry(row.key()).or_insert(*index);
        if first != *index {
            problems.push(Problem::new(
                *index,
                R::KEY_FIELD,
                Phrase::new(
                    format!("Ya está en input[{first}]: cada fila va una sola vez por llamada."),
                    format!("It is in input[{first}] already: each row goes once a call."),
                ),
            ));
        }
    }
    problems
}

/// The references that lead nowhere, looked up with one statement a table.
async fn missing(conn: &mut Connection, references: Vec<Reference>) -> Result<Vec<Problem>> {
    let mut wanted: HashMap<Referenced, HashSet<i64>> = HashMap::new();
    for reference in &references {
        wanted.entry(reference.to).or_default().insert(reference.id);
    }
    for (table, ids) in &mut wanted {
        let asked: Vec<i64> = ids.iter().copied().collect();
        for found in table.existing(conn, &asked).await? {
            ids.remove(&found);
        }
    }
    let missing = |reference: &Reference| wanted[&reference.to].contains(&reference.id);
    Ok(references.into_iter().filter(missing).map(Problem::from).collect())
}
