//! Parses the fields of the rows of a call, and collects the errors in them and their references to other
//! rows.

use chrono::{DateTime, Datelike as _, Utc};
use domain::dataset::{Dataset, FilterKey};
use domain::filter::Problem as Cause;
use domain::text::Phrase;
use domain::{Text, validation};
use serde_json::Value;

use super::problem::Problem;
use crate::clock;
use crate::json_scan::{Finding, MAX_BYTES, MAX_NESTING, scan};
use crate::models::reference::ReferencedTable;

const BLANK: Text = Text::new("No puede estar en blanco.", "Cannot be blank.");
const NOT_A_TIMESTAMP: Text = Text::new(
    "No es una marca de tiempo. Se acepta RFC 3339, como 2026-11-16T09:00:00Z, de los años 1900 a 9998.",
    "Not a timestamp. Accepted: RFC 3339, such as 2026-11-16T09:00:00Z, in the years 1900 to 9998.",
);

/// A field that refers to another row.
#[derive(Debug)]
pub struct Reference {
    index: usize,
    field: &'static str,
    /// The table that it refers to.
    pub to: ReferencedTable,
    /// The id of the row that it refers to.
    pub id: i64,
}

impl From<Reference> for Problem {
    fn from(Reference { index, field, to, id }: Reference) -> Self {
        let message = match to {
            ReferencedTable::User => {
                Phrase::new(format!("No existe el usuario {id}."), format!("User {id} does not exist."))
            }
            ReferencedTable::Course => {
                Phrase::new(format!("No existe el curso {id}."), format!("Course {id} does not exist."))
            }
            ReferencedTable::Lesson => {
                Phrase::new(format!("No existe la lección {id}."), format!("Lesson {id} does not exist."))
            }
            ReferencedTable::Package => {
                Phrase::new(format!("No existe el pack {id}."), format!("Pack {id} does not exist."))
            }
        };
        Self::new(index, field, message)
    }
}

/// Parses one row after another. A method that returns `None` for an invalid field has recorded the error.
#[derive(Debug, Default)]
pub struct Reader {
    index: usize,
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn start_row(&mut self, index: usize) {
        self.index = index;
    }

    pub(super) fn into_parts(self) -> (Vec<Reference>, Vec<Problem>) {
        (self.references, self.problems)
    }

    /// Records an error in a field of the current row.
    pub fn invalid<T>(&mut self, field: &'static str, message: impl Into<Phrase>) -> Option<T> {
        self.problems.push(Problem::new(self.index, field, message));
        None
    }

    /// Parses an optional value.
    pub fn optional<S, T>(
        &mut self,
        sent: Option<S>,
        read: impl FnOnce(&mut Self, S) -> Option<T>,
    ) -> Option<Option<T>> {
        match sent {
            Some(sent) => read(self, sent).map(Some),
            None => Some(None),
        }
    }

    /// An id. `None` is an error.
    pub fn id(&mut self, field: &'static str, sent: Option<i64>) -> Option<i64> {
        sent.or_else(|| self.invalid(field, Cause::NotAnId.message()))
    }

    /// The id of a row that must exist.
    pub fn reference(&mut self, field: &'static str, to: ReferencedTable, sent: Option<i64>) -> Option<i64> {
        let id = self.id(field, sent)?;
        self.references.push(Reference { index: self.index, field, to, id });
        Some(id)
    }

    /// A text of at most `max` characters that is not blank.
    pub fn required_text(&mut self, field: &'static str, sent: String, max: usize) -> Option<String> {
        let text = self.text(field, sent, max)?;
        if text.trim().is_empty() { self.invalid(field, BLANK) } else { Some(text) }
    }

    /// An optional text of at most `max` characters. A blank text counts as missing.
    pub fn optional_text(
        &mut self,
        field: &'static str,
        sent: Option<String>,
        max: usize,
    ) -> Option<Option<String>> {
        let text = self.optional(sent, |fields, sent| fields.text(field, sent, max))?;
        Some(text.filter(|text| !text.trim().is_empty()))
    }

    fn text(&mut self, field: &'static str, sent: String, max: usize) -> Option<String> {
        if sent.contains('\0') {
            self.invalid(field, Cause::NullCharacter.message())
        } else if sent.chars().count() > max {
            self.invalid(field, Cause::TooLong(max).message())
        } else {
            Some(sent)
        }
    }

    /// One of the values that a filter of the dataset accepts.
    pub fn choice(
        &mut self,
        field: &'static str,
        sent: &str,
        dataset: Dataset,
        key: FilterKey,
    ) -> Option<&'static str> {
        let choices = dataset.describe().filter(key).map_or(&[][..], |filter| filter.choices);
        let known = choices.iter().map(|choice| choice.value).find(|value| *value == sent);
        known.or_else(|| self.invalid(field, Cause::NotAChoice(choices).message()))
    }

    /// A whole number from `min` to `max`.
    pub fn number(&mut self, field: &'static str, sent: Option<i32>, min: i32, max: i32) -> Option<i32> {
        sent.filter(|number| (min..=max).contains(number)).or_else(|| {
            let message = Phrase::new(
                format!("Se acepta un número entero de {min} a {max}."),
                format!("Accepted: a whole number from {min} to {max}."),
            );
            self.invalid(field, message)
        })
    }

    /// A timestamp in the supported years.
    pub fn timestamp(&mut self, field: &'static str, sent: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        sent.filter(|timestamp| clock::SUPPORTED_YEARS.contains(&timestamp.year()))
            .or_else(|| self.invalid(field, NOT_A_TIMESTAMP))
    }

    /// A JSON value that the database can store.
    pub fn json(&mut self, field: &'static str, sent: Value) -> Option<Value> {
        let text = sent.to_string();
        if text.len() > MAX_BYTES {
            return self.invalid(field, validation::JSON_TOO_LARGE);
        }
        match scan(&text, MAX_NESTING) {
            Finding::Storable => Some(sent),
            Finding::TooDeep => self.invalid(field, validation::json_too_deep(MAX_NESTING)),
            Finding::NotStorable | Finding::NotJson => self.invalid(field, validation::JSON_NOT_STORABLE),
        }
    }
}
