//! How the record of exports is laid out as a table.

use domain::Dataset;
use domain::filter::FilterKey;
use serde_json::Value;

use super::Audit;
use crate::api::audit::export_audits::ExportOutcome;
use crate::i18n::format::Format;
use crate::i18n::messages;
use crate::i18n::messages::{Messages, Records};
use crate::ui::table::{Cell, Column, Set};

/// The columns.
pub fn columns(messages: &Messages) -> Vec<Column> {
    let words = &messages.records;
    let column = |(title, set): (&str, Set)| Column { title: title.to_owned(), set };
    [
        (words.when, Set::Plain),
        (words.who, Set::Text),
        (words.dataset, Set::Plain),
        (words.format, Set::Plain),
        (words.filters, Set::Text),
        (words.rows, Set::Number),
        (words.bytes, Set::Number),
        (words.duration, Set::Number),
        (words.outcome, Set::Plain),
        (words.sha256, Set::Code),
    ]
    .into_iter()
    .map(column)
    .collect()
}

/// The cells of one export, in the order of the columns.
#[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds is far below 2^53")]
pub fn cells(audit: &Audit, format: &Format) -> Vec<Cell> {
    let Audit { user, dataset, format: file, filters: filter, rows, bytes, duration_ms, outcome, .. } = audit;
    let words = &messages(format.locale()).records;
    vec![
        Some(format.moment(&audit.started_at)),
        Some(user.clone()),
        Some(dataset.0.describe().title.in_locale(format.locale()).to_owned()),
        Some(file.0.key().to_ascii_uppercase()),
        Some(filters(dataset.0, filter, format, words)),
        Some(format.number(*rows)),
        Some(format.bytes(*bytes)),
        Some(format.duration(*duration_ms as f64)),
        Some(outcome_word(outcome, words).to_owned()),
        audit.sha256.clone(),
    ]
}

/// The filters as a person reads them: `Curso: 3 · Evento: play`.
fn filters(dataset: Dataset, filter: &Value, format: &Format, words: &Records) -> String {
    let Value::Object(filters) = filter else { return words.no_filters.to_owned() };
    let pair = |(key, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let Some(key) = FilterKey::parse(key) else { return format!("{key}: {value}") };
        let title = key.title().in_locale(format.locale());
        let choice = dataset.describe().filter(key).and_then(|field| field.choice(&value));
        let value = choice.map_or(value.as_str(), |choice| choice.title.in_locale(format.locale()));
        format!("{title}: {value}")
    };
    let pairs: Vec<String> = filters.iter().filter(|(_, value)| !value.is_null()).map(pair).collect();
    if pairs.is_empty() { words.no_filters.to_owned() } else { pairs.join(" · ") }
}

/// How an export ended; a server that is newer than this app may know more endings.
fn outcome_word(outcome: &ExportOutcome, words: &Records) -> &'static str {
    match outcome {
        ExportOutcome::Running => words.running,
        ExportOutcome::Complete => words.complete,
        ExportOutcome::Aborted => words.aborted,
        ExportOutcome::Failed => words.failed,
        ExportOutcome::Other(_) => words.unknown,
    }
}
