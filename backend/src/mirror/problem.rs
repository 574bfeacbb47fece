//! What is wrong with a row.

use domain::text::Phrase;

use crate::error::InvalidField;

/// An error in one field of a row.
#[derive(Debug)]
pub struct Problem {
    /// The index of the row in the call.
    pub index: usize,
    field: &'static str,
    message: Phrase,
}

impl Problem {
    /// Creates an error for the row with this index.
    pub fn new(index: usize, field: &'static str, message: impl Into<Phrase>) -> Self {
        Self { index, field, message: message.into() }
    }
}

impl From<Problem> for InvalidField {
    fn from(Problem { index, field, message }: Problem) -> Self {
        Self { field: format!("input[{index}].{field}"), message }
    }
}
