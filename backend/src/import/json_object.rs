//! Turns a JSON object into the cells of a row, with numbers exactly as they are written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell_problem::CellProblem;
use super::column::Column;
use super::file_problem::UnknownColumn;
use super::header::{KnownColumn, accepted};
use super::record::{Record, RecordBuffer};
use super::row::Rejection;
use crate::models::snapshot_table::SnapshotTable;

/// The maximum number of names whose column is remembered. Files have a few, so more are hostile.
const MAX_REMEMBERED_NAMES: usize = 256;

/// Reads objects, whose names are keys or titles of columns.
pub struct ObjectReader {
    table: SnapshotTable,
    known: HashMap<String, Option<KnownColumn>>,
    cells: RecordBuffer,
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectProblem {
    /// It is not JSON.
    NotJson,
    /// The row is rejected.
    Row(Rejection),
    /// It has names that are no columns. The second list is what is accepted.
    UnknownNames(Vec<UnknownColumn>, &'static [&'static str]),
}

/// The value of each column, and the problems with the names.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<&'a RawValue>; Column::ALL.len()],
    repeated: Option<Column>,
    unknown: Vec<UnknownColumn>,
}

impl ObjectReader {
    /// Reads objects with the columns of this table.
    pub fn new(table: SnapshotTable) -> Self {
        Self { table, known: HashMap::new(), cells: RecordBuffer::default() }
    }

    /// The cells of the last object, in the order of [`Column::ALL`].
    pub fn record(&self, line: i64) -> Record<'_> {
        self.cells.record(line)
    }

    /// Parses a JSON text as an object. Nulls and missing names are blank cells.
    pub fn read(&mut self, text: &str) -> Result<(), ObjectProblem> {
        self.cells.clear();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let fields = FieldsSeed(self).deserialize(&mut deserializer);
        let fields = fields.and_then(|fields| deserializer.end().map(|()| fields));
        let Ok(fields) = fields else {
            // Without cells, the first one gets the whole text.
            self.cells.push(text.trim());
            let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
            if !is_json {
                return Err(ObjectProblem::NotJson);
            }
            let is_object = text.trim_start().starts_with('{');
            let problem = if is_object { CellProblem::LoneSurrogate } else { CellProblem::NotAnObject };
            return Err(ObjectProblem::Row(Rejection { column: None, value: text.to_owned(), problem }));
        };
        if !fields.unknown.is_empty() {
            return Err(ObjectProblem::UnknownNames(fields.unknown, accepted(self.table)));
        }
        let mut rejection = fields.repeated.map(|column| Rejection {
            column: Some(column),
            value: String::new(),
            problem: CellProblem::RepeatedName,
        });
        for (column, value) in Column::ALL.into_iter().zip(fields.values) {
            let cell = match value.map(RawValue::get) {
                None | Some("null") => Cow::Borrowed(""),
                Some(text) if text.starts_with('"') => decode(text).unwrap_or_else(|| {
                    rejection.get_or_insert_with(|| Rejection {
                        column: Some(column),
                        value: text.to_owned(),
                        problem: CellProblem::LoneSurrogate,
                    });
                    Cow::Borrowed(text)
                }),
                Some(text) => Cow::Borrowed(text),
            };
            self.cells.push(&cell);
        }
        rejection.map_or(Ok(()), |rejection| Err(ObjectProblem::Row(rejection)))
    }

    fn find(&mut self, name: &str) -> Option<KnownColumn> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let found = KnownColumn::find(name, self.table);
        if self.known.len() < MAX_REMEMBERED_NAMES {
            self.known.insert(name.to_owned(), found);
        }
        found
    }
}

/// The text of a JSON string. `None` if it has half of a surrogate pair.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(text).ok().map(|Text(text)| text)
}

/// Reads the fields of an object by the columns of a table.
struct FieldsSeed<'r>(&'r mut ObjectReader);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
        let mut fields = Fields::default();
        let mut position = 0;
        while let Some(name) = map.next_key::<&RawValue>()? {
            position += 1;
            let value: &RawValue = map.next_value()?;
            let name =
                decode(name.get()).ok_or_else(|| M::Error::custom("a name with half of a character"))?;
            match self.0.find(&name) {
                Some(KnownColumn::Imported(column)) => {
                    if fields.values[column as usize].replace(value).is_some() {
                        fields.repeated.get_or_insert(column);
                    }
                }
                Some(KnownColumn::Ignored) => {}
                None => fields.unknown.push(UnknownColumn { position, name: name.trim().to_owned() }),
            }
        }
        Ok(fields)
    }
}
