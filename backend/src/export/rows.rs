//! Reads the fields of database rows and writes them as cells of the file.

use anyhow::Context as _;
use diesel::row::{Field as _, Row as _};

use super::cell::{Cell, WireType};
use super::columns::{FileColumn, Origin};
use super::emails::Emails;
use super::writer::Writer;
use crate::db::Connection;
use crate::source::RawRow;

/// Looks up the e-mail addresses of these rows that are not cached.
pub async fn look_up(
    columns: &[FileColumn],
    batch: &[RawRow<'_>],
    emails: &mut Emails,
    conn: &mut Connection,
) -> anyhow::Result<()> {
    emails.trim();
    for row in batch {
        for column in columns {
            if let Origin::EmailOf(field) = column.origin
                && let Some(user_id) = user_id(row, field)?
            {
                emails.request(user_id);
            }
        }
    }
    if emails.is_missing_any() {
        emails.look_up(conn).await?;
    }
    Ok(())
}

/// Appends a row.
pub fn write_row(
    writer: &mut Writer,
    out: &mut Vec<u8>,
    columns: &[FileColumn],
    row: &RawRow<'_>,
    emails: &Emails,
) -> anyhow::Result<()> {
    for (index, FileColumn { column, origin }) in columns.iter().enumerate() {
        match *origin {
            Origin::Field(field) => with_cell(row, field, |cell| writer.cell(out, index, column.kind, cell))?,
            Origin::EmailOf(field) => {
                let email = user_id(row, field)?.and_then(|user_id| emails.get(user_id));
                let cell = email.map_or(Cell::Null, |email| Cell::Text(email.as_bytes()));
                writer.cell(out, index, column.kind, cell);
            }
        }
    }
    writer.end_row(out);
    Ok(())
}

fn user_id(row: &RawRow<'_>, field: usize) -> anyhow::Result<Option<i64>> {
    with_cell(row, field, |cell| match cell {
        Cell::Integer(user_id) => Some(user_id),
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
