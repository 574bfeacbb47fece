//! Maps the columns of a file to the fields of the rows.

use anyhow::{Context as _, Result};
use domain::dataset::Column;

use super::any_source::AnySource;

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
    /// The e-mail address of the user whose id is in the field with this index.
    EmailOf(usize),
}

/// Finds the origin of each chosen column.
pub fn resolve_columns(source: &dyn AnySource, chosen: &[&'static Column]) -> Result<Vec<FileColumn>> {
    let field = |key: &str| source.fields().iter().position(|known| *known == key);
    let origin = |column: &Column| {
        let email = source.emails().iter().find(|(key, _)| *key == column.key);
        match email {
            Some((_, id)) => field(id).map(Origin::EmailOf),
            None => field(column.key).map(Origin::Field),
        }
    };
    chosen
        .iter()
        .map(|column| {
            let origin =
                origin(column).with_context(|| format!("No field provides the column {}", column.key))?;
            Ok(FileColumn { column, origin })
        })
        .collect()
}
