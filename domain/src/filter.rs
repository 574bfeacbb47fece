//! The filters of the datasets.

mod date_bound;
mod date_range;
mod problem;

pub use date_bound::{DateBound, Until};
pub use date_range::DateRange;
pub use problem::{FieldProblem, Problem};

use std::collections::HashSet;
use std::fmt;

use crate::dataset::{Dataset, FilterField, FilterKey, FilterKind};

/// The conditions that rows must meet: at most one value for each filter of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In the order of the dataset's filters.
    values: Vec<(FilterKey, FilterValue)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FilterValue {
    Date(DateBound),
    Id(i64),
    Text(String),
}

impl FilterValue {
    /// Reads the value of a filter.
    fn parse(field: &FilterField, value: &str) -> Result<Self, Problem> {
        match field.kind {
            FilterKind::Date => DateBound::parse(value).map(Self::Date).ok_or(Problem::NotADate),
            FilterKind::Course | FilterKind::Lesson | FilterKind::Id => parse_id(value).map(Self::Id),
            FilterKind::Text | FilterKind::Choice => parse_text(field, value).map(Self::Text),
        }
    }
}

impl fmt::Display for FilterValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(bound) => bound.fmt(formatter),
            Self::Id(id) => id.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

impl Filter {
    /// Reads a dataset's filter from machine names and values. Blank values are ignored.
    ///
    /// Reports every problem at once, at most one per field.
    pub fn parse<'a>(
        dataset: Dataset,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<FieldProblem>> {
        let fields = dataset.describe().filters;
        let mut values = Vec::new();
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        for (key, value) in pairs {
            let is_repeated = !seen.insert(key);
            let parsed = match fields.iter().position(|field| field.key.key() == key) {
                _ if is_repeated => Err(Problem::Repeated),
                None => Err(Problem::UnknownFilter(dataset)),
                Some(_) if value.trim().is_empty() => continue,
                Some(position) => {
                    FilterValue::parse(&fields[position], value.trim()).map(|value| (position, value))
                }
            };
            match parsed {
                Ok(value) => values.push(value),
                Err(problem) => problems.push(FieldProblem { field: key.to_owned(), problem }),
            }
        }
        values.sort_by_key(|(position, _)| *position);
        let values = values.into_iter().map(|(position, value)| (fields[position].key, value)).collect();
        let filter = Self { values };
        if filter.is_reversed() {
            let field = FilterKey::DATE_TO.key().to_owned();
            problems.push(FieldProblem { field, problem: Problem::Reversed });
        }
        if problems.is_empty() { Ok(filter) } else { Err(problems) }
    }

    /// The value of a filter of kind [`FilterKind::Date`], if it is set.
    pub fn date(&self, key: FilterKey) -> Option<DateBound> {
        match self.get(key)? {
            FilterValue::Date(bound) => Some(*bound),
            FilterValue::Id(_) | FilterValue::Text(_) => wrong_kind(key),
        }
    }

    /// The value of a filter whose kind is an id, if it is set.
    pub fn id(&self, key: FilterKey) -> Option<i64> {
        match self.get(key)? {
            FilterValue::Id(id) => Some(*id),
            FilterValue::Date(_) | FilterValue::Text(_) => wrong_kind(key),
        }
    }

    /// The value of a filter of kind [`FilterKind::Text`] or [`FilterKind::Choice`], if it is set.
    pub fn text(&self, key: FilterKey) -> Option<String> {
        match self.get(key)? {
            FilterValue::Text(text) => Some(text.clone()),
            FilterValue::Date(_) | FilterValue::Id(_) => wrong_kind(key),
        }
    }

    /// Whether the filter is set.
    pub fn is_set(&self, key: FilterKey) -> bool {
        self.get(key).is_some()
    }

    /// The filters that are set, in the order of the dataset's description, with values that [`Filter::parse`] reads
    /// back.
    pub fn pairs(&self) -> Vec<(FilterKey, String)> {
        self.values.iter().map(|(key, value)| (*key, value.to_string())).collect()
    }

    fn get(&self, key: FilterKey) -> Option<&FilterValue> {
        self.values.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    fn is_reversed(&self) -> bool {
        // A day and a moment can only be compared in a time zone, which is not known here.
        match (self.date(FilterKey::DATE_FROM), self.date(FilterKey::DATE_TO)) {
            (Some(DateBound::Day(from)), Some(DateBound::Day(to))) => from > to,
            (Some(DateBound::Moment(from)), Some(DateBound::Moment(to))) => from > to,
            _ => false,
        }
    }
}

/// Reading a filter as another kind is a mistake in our code, and would show rows that the filter excludes.
fn wrong_kind<T>(key: FilterKey) -> Option<T> {
    panic!("the filter {} is read as another kind than it has", key.key())
}

/// The largest accepted id: the largest integer that a JavaScript number represents exactly.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// Reads an id: a whole number from 1 to [`MAX_ID`], digits only.
pub fn parse_id(text: &str) -> Result<i64, Problem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::NotAnId);
    }
    match text.parse() {
        Ok(id) if (1..=MAX_ID).contains(&id) => Ok(id),
        Ok(_) | Err(_) => Err(Problem::NotAnId),
    }
}

fn parse_text(field: &FilterField, value: &str) -> Result<String, Problem> {
    match field.kind {
        FilterKind::Choice if field.choice(value).is_none() => Err(Problem::NotAChoice(field.choices)),
        _ if value.chars().count() > MAX_TEXT => Err(Problem::TooLong(MAX_TEXT)),
        _ if value.contains('\0') => Err(Problem::NullCharacter),
        _ => Ok(value.to_owned()),
    }
}

/// Maximum length of a filter's text, in characters.
const MAX_TEXT: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;

    #[test]
    fn every_wrong_field_is_reported_at_once() {
        let pairs = [("course_id", "12abc"), ("date_from", "ayer"), ("colour", "red"), ("lesson_id", "0")];
        let problems = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap_err();
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["course_id", "date_from", "colour", "lesson_id"]);
    }

    #[test]
    fn the_same_filter_twice_is_refused() {
        let pairs = [("course_id", "1"), ("course_id", "2"), ("event", ""), ("event", "play")];
        let problems = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap_err();
        let problems: Vec<_> = problems.into_iter().map(|found| (found.field, found.problem)).collect();
        let repeated = |key: &str| (key.to_owned(), Problem::Repeated);
        assert_eq!(problems, [repeated("course_id"), repeated("event")]);
    }

    #[test]
    fn a_choice_must_be_one_of_the_known_values() {
        let refused = Filter::parse(Dataset::PracticePackageOrders, [("status", "lost")]).unwrap_err();
        assert!(
            refused[0]
                .problem
                .message()
                .in_locale(Locale::En)
                .contains("pending, paid, cancelled, completed")
        );
    }

    #[test]
    fn a_filter_reads_back_what_it_writes() {
        let pairs =
            [("date_from", "2026-11-01"), ("date_to", "2026-11-16T10:00:00.5+01:00"), ("event", "play")];
        let filter = Filter::parse(Dataset::VideoPlayerEvents, pairs).unwrap();
        let written = filter.pairs();
        let again = Filter::parse(
            Dataset::VideoPlayerEvents,
            written.iter().map(|(key, value)| (key.key(), value.as_str())),
        );
        assert_eq!(again, Ok(filter));
    }
}
