//! Where each column of a file comes from in the rows.

use anyhow::{Context as _, Result};
use domain::dataset::Column;

use crate::source::erased::AnySource;

/// A column of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileColumn {
    /// Its description.
    pub column: &'static Column,
    /// Where its value is.
    pub origin: Origin,
}

/// Where a column's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this field of the row.
    Field(usize),
    /// The e-mail address of the user whose id is in this field of the row.
    EmailOf(usize),
}

/// The origins of the chosen columns.
pub fn locate(source: &dyn AnySource, chosen: &[&'static Column]) -> Result<Vec<FileColumn>> {
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
            let origin = origin(column).with_context(|| format!("No field for the column {}", column.key))?;
            Ok(FileColumn { column, origin })
        })
        .collect()
}
