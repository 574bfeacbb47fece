//! Reads the fields of database rows and writes them as cells of the file.

use anyhow::Context as _;
use diesel::row::{Field as _, Row as _};

use super::cell::{Cell, WireType};
use super::columns::{FileColumn, Origin};
use super::lookups::Lookups;
use super::writer::Writer;
use crate::db::Connection;
use crate::source::RawRow;

/// Looks up what these rows need of other tables, unless it is cached.
pub async fn look_up(
    columns: &[FileColumn],
    batch: &[RawRow<'_>],
    lookups: &mut Lookups,
    conn: &mut Connection,
) -> anyhow::Result<()> {
    lookups.trim();
    for row in batch {
        for column in columns {
            if let Origin::LookedUp(lookup, field) = column.origin
                && let Some(id) = id(row, field)?
            {
                lookups.request(lookup, id);
            }
        }
    }
    Ok(lookups.look_up(conn).await?)
}

/// Appends a row.
pub fn write_row(
    writer: &mut Writer,
    out: &mut Vec<u8>,
    columns: &[FileColumn],
    row: &RawRow<'_>,
    found: &Lookups,
) -> anyhow::Result<()> {
    for (index, FileColumn { column, origin }) in columns.iter().enumerate() {
        match *origin {
            Origin::Field(field) => {
                with_cell(row, field, |cell| writer.cell(out, index, column.kind, cell))??
            }
            Origin::LookedUp(lookup, field) => {
                let found = id(row, field)?.and_then(|id| found.get(lookup, id));
                let cell = found.map_or(Cell::Null, |text| Cell::Text(text.as_bytes()));
                writer.cell(out, index, column.kind, cell)?;
            }
        }
    }
    writer.end_row(out)
}

fn id(row: &RawRow<'_>, field: usize) -> anyhow::Result<Option<i64>> {
    with_cell(row, field, |cell| match cell {
        Cell::Integer(id) => Some(id),
        Cell::Null
        | Cell::Decimal(_)
        | Cell::Boolean(_)
        | Cell::Text(_)
        | Cell::Timestamp(_)
        | Cell::Json(_)
        | Cell::BuiltJson(_) => None,
    })
}

/// Calls `take` with a field's value, which borrows from the row.
fn with_cell<T>(row: &RawRow<'_>, field: usize, take: impl FnOnce(Cell<'_>) -> T) -> anyhow::Result<T> {
    let field = row.get(field).context("A row has too few fields")?;
    match field.value() {
        Some(value) => Ok(take(WireType::from_oid(value.get_oid().get())?.read(value.as_bytes())?)),
        None => Ok(take(Cell::Null)),
    }
}
