//! The table of the export history.

use domain::Dataset;
use domain::dataset::FilterKey;
use serde_json::Value;

use super::Audit;
use crate::api::audit::export_audits::ExportOutcome;
use crate::i18n::format::Format;
use crate::i18n::messages;
use crate::i18n::messages::{Messages, Records};
use crate::ui::table::{Cell, CellStyle, Column};

/// The columns.
pub fn columns(messages: &Messages) -> Vec<Column> {
    let texts = &messages.records;
    let column = |(title, style): (&str, CellStyle)| Column { title: title.to_owned(), style };
    [
        (texts.when, CellStyle::Plain),
        (texts.who, CellStyle::Text),
        (texts.dataset, CellStyle::Plain),
        (texts.format, CellStyle::Plain),
        (texts.filters, CellStyle::Text),
        (texts.rows, CellStyle::Number),
        (texts.bytes, CellStyle::Number),
        (texts.duration, CellStyle::Number),
        (texts.outcome, CellStyle::Plain),
        (texts.sha256, CellStyle::Code),
    ]
    .into_iter()
    .map(column)
    .collect()
}

/// The cells of an export, in the order of the columns.
#[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds is far below 2^53")]
pub fn cells(audit: &Audit, format: &Format) -> Vec<Cell> {
    let Audit { user, dataset, format: file, filters: filter, rows, bytes, duration_ms, outcome, .. } = audit;
    let texts = &messages(format.locale()).records;
    vec![
        Some(format.timestamp(&audit.started_at)),
        Some(user.clone()),
        Some(dataset.0.describe().title.in_locale(format.locale()).to_owned()),
        Some(file.0.key().to_ascii_uppercase()),
        Some(filters(dataset.0, filter, format, texts)),
        Some(format.number(*rows)),
        Some(format.bytes(*bytes)),
        Some(format.duration(*duration_ms as f64)),
        Some(outcome_text(outcome, texts).to_owned()),
        audit.sha256.clone(),
    ]
}

/// The filters as text: `Curso: 3 · Evento: play`.
fn filters(dataset: Dataset, filter: &Value, format: &Format, texts: &Records) -> String {
    let Value::Object(filters) = filter else { return texts.no_filters.to_owned() };
    let pair = |(key, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let Some(key) = FilterKey::parse(key) else { return format!("{key}: {value}") };
        let title = key.title().in_locale(format.locale());
        let choice = dataset.describe().filter(key).and_then(|field| field.choice(&value));
        let value = choice.map_or(value.as_str(), |choice| choice.title.in_locale(format.locale()));
        format!("{title}: {value}")
    };
    let pairs: Vec<String> = filters.iter().filter(|(_, value)| !value.is_null()).map(pair).collect();
    if pairs.is_empty() { texts.no_filters.to_owned() } else { pairs.join(" · ") }
}

/// The text of an outcome. A newer server may send outcomes unknown here.
fn outcome_text(outcome: &ExportOutcome, texts: &Records) -> &'static str {
    match outcome {
        ExportOutcome::Running => texts.running,
        ExportOutcome::Complete => texts.complete,
        ExportOutcome::Aborted => texts.aborted,
        ExportOutcome::Failed => texts.failed,
        ExportOutcome::Other(_) => texts.unknown,
    }
}
