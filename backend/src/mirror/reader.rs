//! Reads the fields of the rows that were sent, and notes what is wrong with them and what they point to.

use chrono::{DateTime, Datelike as _, Utc};
use domain::Text;
use domain::dataset::Dataset;
use domain::filter::{FilterKey, Problem as Cause};
use domain::text::{Locale, Phrase};
use serde_json::Value;

use super::batch::Problem;
use crate::clock;
use crate::models::reference::Referenced;

const BLANK: Text = Text::new("Falta el texto.", "The text is missing.");
const JSON_TOO_LONG: Text = Text::new(
    "El JSON es demasiado largo. Se aceptan hasta 64 KiB.",
    "The JSON is too long. Accepted: up to 64 KiB.",
);
const NOT_A_MOMENT: Text = Text::new(
    "No es un momento. Se acepta RFC 3339, como 2026-11-16T09:00:00Z, de los años 1900 a 9998.",
    "Not a moment. Accepted: RFC 3339, such as 2026-11-16T09:00:00Z, in the years 1900 to 9998.",
);

/// The most bytes of a JSON value.
const MOST_JSON: usize = 64 << 10;

/// A field that points to another row.
#[derive(Debug)]
pub struct Reference {
    index: usize,
    field: &'static str,
    /// The table that it points into.
    pub to: Referenced,
    /// The row that it points to.
    pub id: i64,
}

impl From<Reference> for Problem {
    fn from(Reference { index, field, to, id }: Reference) -> Self {
        let message = match to {
            Referenced::User => {
                Phrase::new(format!("No existe el usuario {id}."), format!("There is no user {id}."))
            }
            Referenced::Course => {
                Phrase::new(format!("No existe el curso {id}."), format!("There is no course {id}."))
            }
            Referenced::Lesson => {
                Phrase::new(format!("No existe la lección {id}."), format!("There is no lesson {id}."))
            }
            Referenced::Package => {
                Phrase::new(format!("No existe el pack {id}."), format!("There is no pack {id}."))
            }
        };
        Self::new(index, field, message)
    }
}

/// Reads one row after another. A method answers with nothing when the field is wrong, and has noted why.
#[derive(Debug, Default)]
pub struct Reader {
    index: usize,
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn turn_to(&mut self, index: usize) {
        self.index = index;
    }

    pub(super) fn into_findings(self) -> (Vec<Reference>, Vec<Problem>) {
        (self.references, self.problems)
    }

    /// Notes what is wrong with a field of the present row.
    pub fn wrong<T>(&mut self, field: &'static str, message: impl Into<Phrase>) -> Option<T> {
        self.problems.push(Problem::new(self.index, field, message));
        None
    }

    /// A value that may be missing.
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

    /// An id, if what was sent is one.
    pub fn id(&mut self, field: &'static str, sent: Option<i64>) -> Option<i64> {
        sent.or_else(|| self.wrong(field, phrase(Cause::NotAnId)))
    }

    /// The id of a row that must be there.
    pub fn reference(&mut self, field: &'static str, to: Referenced, sent: Option<i64>) -> Option<i64> {
        let id = self.id(field, sent)?;
        self.references.push(Reference { index: self.index, field, to, id });
        Some(id)
    }

    /// A text that is not blank, of at most so many characters.
    pub fn words(&mut self, field: &'static str, sent: String, most: usize) -> Option<String> {
        let text = self.text(field, sent, most)?;
        if text.trim().is_empty() { self.wrong(field, BLANK) } else { Some(text) }
    }

    /// A text that may be missing, of at most so many characters; a blank one is as good as none.
    pub fn optional_words(
        &mut self,
        field: &'static str,
        sent: Option<String>,
        most: usize,
    ) -> Option<Option<String>> {
        let text = self.optional(sent, |fields, sent| fields.text(field, sent, most))?;
        Some(text.filter(|text| !text.trim().is_empty()))
    }

    fn text(&mut self, field: &'static str, sent: String, most: usize) -> Option<String> {
        if sent.contains('\0') {
            self.wrong(field, phrase(Cause::NotText))
        } else if sent.chars().count() > most {
            self.wrong(field, phrase(Cause::TooLong(most)))
        } else {
            Some(sent)
        }
    }

    /// One of the values that a dataset's filter knows.
    pub fn choice(
        &mut self,
        field: &'static str,
        sent: &str,
        dataset: Dataset,
        key: FilterKey,
    ) -> Option<&'static str> {
        let choices = dataset.describe().filter(key).map_or(&[][..], |filter| filter.choices);
        let known = choices.iter().map(|choice| choice.value).find(|value| *value == sent);
        known.or_else(|| self.wrong(field, phrase(Cause::NotAChoice(choices))))
    }

    /// A whole number from `least` to `most`.
    pub fn number(&mut self, field: &'static str, sent: Option<i32>, least: i32, most: i32) -> Option<i32> {
        sent.filter(|number| (least..=most).contains(number)).or_else(|| {
            let message = Phrase::new(
                format!("Se acepta un número entero de {least} a {most}."),
                format!("Accepted: a whole number from {least} to {most}."),
            );
            self.wrong(field, message)
        })
    }

    /// A moment.
    pub fn moment(&mut self, field: &'static str, sent: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        sent.filter(|moment| clock::KEPT_YEARS.contains(&moment.year()))
            .or_else(|| self.wrong(field, NOT_A_MOMENT))
    }

    /// A JSON value that the database can hold.
    pub fn json(&mut self, field: &'static str, sent: Value) -> Option<Value> {
        if holds_nul(&sent) {
            self.wrong(field, phrase(Cause::NotText))
        } else if sent.to_string().len() > MOST_JSON {
            self.wrong(field, JSON_TOO_LONG)
        } else {
            Some(sent)
        }
    }
}

fn phrase(cause: Cause) -> Phrase {
    Phrase::new(cause.message(Locale::Es), cause.message(Locale::En))
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
    }
}
