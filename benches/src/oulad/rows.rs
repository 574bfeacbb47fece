//! Rows of student snapshots, read from any of the files, and compared by what they mean.

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context as _, Result, ensure};
use chrono::DateTime;
use domain::Dataset;
use serde_json::Value;

use crate::hub::text;

/// Columns that are compared as they stand.
const PLAIN: [&str; 7] =
    ["user_id", "course_id", "lesson_id", "practice_package_id", "category", "scope", "value"];

/// Everything in a row but its payload: the moment in microseconds, then the plain columns.
type Key = (i64, [String; PLAIN.len()]);

struct Row {
    key: Key,
    payload: Option<Value>,
    email: Option<String>,
}

/// Rows in no order.
pub struct Rows(Vec<Row>);

impl Rows {
    /// Reads a CSV with the machine header or the Spanish one, whatever the order of its columns.
    pub fn read(content: impl Read) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(content);
        let header = reader.headers()?.clone();
        let known = Dataset::StudentActivitySnapshots.describe();
        let place = |key: &str| {
            let title = known.column(key).map(|column| column.title.es);
            header.iter().position(|name| name == key || Some(name) == title)
        };
        let needed = |key: &str| place(key).with_context(|| format!("No column {key} in {header:?}"));
        let (at, payload, email) = (needed("captured_at")?, needed("payload")?, place("user_email"));
        let mut plain = [0; PLAIN.len()];
        for (place, key) in plain.iter_mut().zip(PLAIN) {
            *place = needed(key)?;
        }
        let rows = reader.records().map(|record| {
            let record = record?;
            let moment = DateTime::parse_from_rfc3339(&record[at])?.timestamp_micros();
            let payload = Some(&record[payload]).filter(|text| !text.is_empty());
            Ok(Row {
                key: (moment, plain.map(|place| record[place].to_owned())),
                payload: payload.map(serde_json::from_str).transpose()?,
                email: email.map(|place| record[place].to_owned()),
            })
        });
        Ok(Self(rows.collect::<Result<_>>()?))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The rows of one course.
    pub fn of_course(&self, course: &str) -> Vec<&Value> {
        self.0
            .iter()
            .filter(|row| row.course() == course)
            .map(|row| row.payload.as_ref().unwrap_or(&Value::Null))
            .collect()
    }

    /// Makes sure that there are the same rows in the other file, each as often.
    pub fn ensure_same(&self, other: &Self) -> Result<()> {
        Self::ensure_all_in(&self.0.iter().collect::<Vec<_>>(), other)
    }

    /// Makes sure that the other file has the rows of one course, and no others.
    pub fn ensure_same_of_course(&self, course: &str, other: &Self) -> Result<()> {
        let rows: Vec<_> = self.0.iter().filter(|row| row.course() == course).collect();
        Self::ensure_all_in(&rows, other)
    }

    fn ensure_all_in(rows: &[&Row], other: &Self) -> Result<()> {
        let mut left: HashMap<&Key, Vec<&Option<Value>>> = HashMap::new();
        for row in &other.0 {
            left.entry(&row.key).or_default().push(&row.payload);
        }
        for row in rows {
            let payloads = left.get_mut(&row.key);
            let found = payloads.and_then(|payloads| {
                let place = payloads.iter().position(|payload| **payload == row.payload)?;
                Some(payloads.swap_remove(place))
            });
            ensure!(found.is_some(), "Not found back: {:?} {:?}", row.key, row.payload);
        }
        ensure!(other.len() == rows.len(), "{} rows, and {} were expected", other.len(), rows.len());
        Ok(())
    }

    /// Makes sure that each row has its user's e-mail address.
    pub fn ensure_emails(&self, users: &[Value]) -> Result<()> {
        let mut known = HashMap::new();
        for user in users {
            known.insert(text(user, "/id")?, text(user, "/email")?);
        }
        for row in &self.0 {
            let expected = known.get(row.user()).copied();
            ensure!(row.email.as_deref() == expected, "User {} is not {:?}", row.user(), row.email);
        }
        Ok(())
    }
}

impl Row {
    fn user(&self) -> &str {
        &self.key.1[0]
    }

    fn course(&self) -> &str {
        &self.key.1[1]
    }
}
