//! Maps the columns of a file to the fields of the rows.

use anyhow::{Context as _, Result};
use domain::dataset::{Column, NAME_COLUMNS};

use super::any_source::AnySource;
use super::lookups::Lookup;

/// A column of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileColumn {
    pub column: &'static Column,
    pub origin: Origin,
}

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The field of the row with this index.
    Field(usize),
    /// Another table, by the id in the field with this index.
    LookedUp(Lookup, usize),
}

/// Finds the origin of each chosen column.
pub fn resolve_columns(source: &dyn AnySource, chosen: &[&'static Column]) -> Result<Vec<FileColumn>> {
    let resolve = |column: &&'static Column| {
        let origin = origin(source, column);
        let origin = origin.with_context(|| format!("No field provides the column {}", column.key))?;
        Ok(FileColumn { column, origin })
    };
    chosen.iter().map(resolve).collect()
}

fn origin(source: &dyn AnySource, column: &Column) -> Option<Origin> {
    let field = |key: &str| source.fields().iter().position(|known| *known == key);
    if let Some((_, id)) = source.emails().iter().find(|(key, _)| *key == column.key) {
        return field(id).map(|field| Origin::LookedUp(Lookup::Email, field));
    }
    if let Some(field) = field(column.key) {
        return Some(Origin::Field(field));
    }
    let name = NAME_COLUMNS.iter().find(|name| name.column.key == column.key)?;
    field(name.id).map(|field| Origin::LookedUp(Lookup::Name(name.kind), field))
}
