//! Rows of student snapshots, read from the source or an export, and compared by value.

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context as _, Result, ensure};
use chrono::DateTime;
use domain::Dataset;
use serde_json::Value;

use crate::hub::text;

/// Columns that are compared as text.
const TEXT_COLUMNS: [&str; 7] =
    ["user_id", "course_id", "lesson_id", "practice_package_id", "category", "scope", "value"];

/// All values of a row except its payload: the time in microseconds, then the text columns.
type Key = (i64, [String; TEXT_COLUMNS.len()]);

struct Row {
    key: Key,
    payload: Option<Value>,
    email: Option<String>,
}

/// Rows without a defined order.
pub struct Rows(Vec<Row>);

impl Rows {
    /// Reads a CSV file with column keys or Spanish titles as its header, in any column order.
    pub fn read(content: impl Read, delimiter: u8) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(content);
        let header = reader.headers()?.clone();
        let dataset = Dataset::StudentActivitySnapshots.describe();
        let index = |key: &str| {
            let title = dataset.column(key).map(|column| column.title.es);
            header.iter().position(|name| name == key || Some(name) == title)
        };
        let required =
            |key: &str| index(key).with_context(|| format!("Column {key} is missing in {header:?}"));
        let (captured_at, payload, email) =
            (required("captured_at")?, required("payload")?, index("user_email"));
        let mut text_columns = [0; TEXT_COLUMNS.len()];
        for (index, key) in text_columns.iter_mut().zip(TEXT_COLUMNS) {
            *index = required(key)?;
        }
        let rows = reader.records().map(|record| {
            let record = record?;
            let time = DateTime::parse_from_rfc3339(&record[captured_at])?.timestamp_micros();
            let payload = Some(&record[payload]).filter(|text| !text.is_empty());
            Ok(Row {
                key: (time, text_columns.map(|index| record[index].to_owned())),
                payload: payload.map(serde_json::from_str).transpose()?,
                email: email.map(|index| record[index].to_owned()),
            })
        });
        Ok(Self(rows.collect::<Result<_>>()?))
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The payloads of the rows of one course.
    pub fn of_course(&self, course: &str) -> Vec<&Value> {
        self.0
            .iter()
            .filter(|row| row.course() == course)
            .map(|row| row.payload.as_ref().unwrap_or(&Value::Null))
            .collect()
    }

    /// Checks that the other file has the same rows, with the same number of duplicates.
    pub fn ensure_same(&self, other: &Self) -> Result<()> {
        Self::ensure_all_in(&self.0.iter().collect::<Vec<_>>(), other)
    }

    /// Checks that the other file has exactly the rows of one course.
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
                let index = payloads.iter().position(|payload| **payload == row.payload)?;
                Some(payloads.swap_remove(index))
            });
            ensure!(found.is_some(), "Row is missing: {:?} {:?}", row.key, row.payload);
        }
        ensure!(other.len() == rows.len(), "Found {} rows, expected {}", other.len(), rows.len());
        Ok(())
    }

    /// Checks that each row has the email address of its user.
    pub fn ensure_emails(&self, users: &[Value]) -> Result<()> {
        let mut dataset = HashMap::new();
        for user in users {
            dataset.insert(text(user, "/id")?, text(user, "/email")?);
        }
        for row in &self.0 {
            let expected = dataset.get(row.user()).copied();
            ensure!(
                row.email.as_deref() == expected,
                "Wrong email address for user {}: {:?}",
                row.user(),
                row.email
            );
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
