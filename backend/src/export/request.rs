//! An export request. Requests from JSON, from a link and from the command line are parsed by the same rules.

use chrono_tz::Tz;
use domain::dataset::Column;
use domain::filter::FieldProblem;
use domain::format::{ACCEPTED_FORMATS, Bom, CsvLayout, Decimal, Delimiter, Headers};
use domain::text::{Phrase, Text};
use domain::{Dataset, ExportFormat, Filter, Locale};

use crate::error::{Error, InvalidField, Result};

/// A request for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    pub dataset: Dataset,
    pub format: ExportFormat,
    pub filter: Filter,
    /// The keys of the columns, in this order. If empty, all columns.
    pub columns: Vec<&'static str>,
    /// The language of readable headers.
    pub locale: Locale,
    /// The time zone of timestamps.
    pub timezone: Tz,
    pub layout: CsvLayout,
}

/// The values of options that the request does not set.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// The language of readable headers.
    pub locale: Locale,
    /// The time zone of timestamps.
    pub timezone: Tz,
}

/// The parameters of a request, as pairs of key and value.
pub type Parameters = Vec<(String, String)>;

impl ExportRequest {
    /// Parses the parameters. Every parameter that is not an option must be a filter of the dataset.
    ///
    /// Reports all errors at once, with one message per field.
    pub fn parse(parameters: &Parameters, defaults: Defaults) -> Result<Self> {
        let mut invalid = Vec::new();
        let mut reject = |field: &str, text: Text| {
            invalid.push(InvalidField { field: field.to_owned(), message: text.into() })
        };
        let mut dataset = None;
        let mut format = None;
        let mut columns = "";
        let mut locale = defaults.locale;
        let mut timezone = defaults.timezone;
        let mut layout = CsvLayout::default();
        let mut filters = Vec::new();
        for (key, value) in parameters {
            match key.as_str() {
                "dataset" => {
                    set(&mut dataset, Dataset::parse(value).map(Some), || reject(key, UNKNOWN_DATASET))
                }
                "format" => {
                    set(&mut format, ExportFormat::parse(value).map(Some), || reject(key, ACCEPTED_FORMATS))
                }
                "columns" => columns = value,
                "locale" => set(&mut locale, Locale::parse(value), || reject(key, ACCEPTED_LOCALES)),
                "timezone" => set(&mut timezone, value.parse().ok(), || reject(key, ACCEPTED_ZONES)),
                "headers" => {
                    set(&mut layout.headers, Headers::parse(value), || reject(key, ACCEPTED_HEADERS))
                }
                "delimiter" => {
                    set(&mut layout.delimiter, Delimiter::parse(value), || reject(key, ACCEPTED_DELIMITERS))
                }
                "decimal" => {
                    set(&mut layout.decimal, Decimal::parse(value), || reject(key, ACCEPTED_DECIMALS))
                }
                "bom" => set(&mut layout.bom, Bom::parse(value), || reject(key, ACCEPTED_BOMS)),
                _ => filters.push((key.as_str(), value.as_str())),
            }
        }
        if dataset.is_none() && !parameters.iter().any(|(key, _)| key == "dataset") {
            reject("dataset", UNKNOWN_DATASET);
        }
        if format.is_none() && !parameters.iter().any(|(key, _)| key == "format") {
            reject("format", ACCEPTED_FORMATS);
        }
        let (Some(dataset), Some(format)) = (dataset, format) else { return Err(Error::Invalid(invalid)) };
        let filter = Filter::parse(dataset, filters).unwrap_or_else(|problems| {
            invalid.extend(problems.into_iter().map(to_invalid));
            Filter::default()
        });
        let columns = parse_columns(dataset, columns).unwrap_or_else(|problem| {
            invalid.push(problem);
            Vec::new()
        });
        if invalid.is_empty() {
            Ok(Self { dataset, format, filter, columns, locale, timezone, layout })
        } else {
            Err(Error::Invalid(invalid))
        }
    }

    /// The request as parameters that [`ExportRequest::parse`] reads back, in a fixed order and with every
    /// option set.
    pub fn parameters(&self) -> Parameters {
        let Self { dataset, format, filter, columns, locale, timezone, layout } = self;
        let mut parameters = vec![("dataset", dataset.key().to_owned()), ("format", format.key().to_owned())];
        parameters.extend(filter.pairs().into_iter().map(|(key, value)| (key.key(), value)));
        if !columns.is_empty() {
            parameters.push(("columns", columns.join(",")));
        }
        parameters.push(("locale", locale.tag().to_owned()));
        parameters.push(("timezone", timezone.name().to_owned()));
        let CsvLayout { headers, delimiter, decimal, bom } = layout;
        if *format == ExportFormat::Csv {
            parameters.push(("headers", headers.key().to_owned()));
            parameters.push(("delimiter", delimiter.character().to_string()));
            parameters.push(("decimal", decimal.character().to_string()));
            parameters.push(("bom", bom.key().to_owned()));
        }
        parameters.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The columns of the file, in order.
    pub fn chosen_columns(&self) -> Vec<&'static Column> {
        let known = self.dataset.describe();
        if self.columns.is_empty() {
            known.columns.iter().collect()
        } else {
            self.columns.iter().filter_map(|key| known.column(key)).collect()
        }
    }
}

fn set<T>(target: &mut T, value: Option<T>, reject: impl FnOnce()) {
    match value {
        Some(value) => *target = value,
        None => reject(),
    }
}

fn parse_columns(dataset: Dataset, keys: &str) -> Result<Vec<&'static str>, InvalidField> {
    let known = dataset.describe();
    let mut columns: Vec<&'static str> = Vec::new();
    for key in keys.split(',').map(str::trim).filter(|key| !key.is_empty()) {
        let message = match known.column(key) {
            Some(column) if !columns.contains(&column.key) => {
                columns.push(column.key);
                continue;
            }
            Some(_) => Phrase::new(format!("«{key}» está repetida."), format!("“{key}” is given twice.")),
            None => {
                let all: Vec<&str> = known.columns.iter().map(|column| column.key).collect();
                let all = all.join(", ");
                Phrase::new(
                    format!("La columna «{key}» no existe. Se aceptan: {all}."),
                    format!("Unknown column “{key}”. Accepted: {all}."),
                )
            }
        };
        return Err(InvalidField { field: "columns".to_owned(), message });
    }
    Ok(columns)
}

fn to_invalid(problem: FieldProblem) -> InvalidField {
    InvalidField { message: problem.problem.message(), field: problem.field }
}

const UNKNOWN_DATASET: Text = Text::new(
    "Se acepta video_player_events, student_activity_snapshots, teacher_activity_snapshots, discord_practices, \
     practice_package_orders, teacher_submissions o course_teacher_assignments.",
    "Accepted: video_player_events, student_activity_snapshots, teacher_activity_snapshots, discord_practices, \
     practice_package_orders, teacher_submissions or course_teacher_assignments.",
);
const ACCEPTED_LOCALES: Text = Text::new("Se acepta es o en.", "Accepted: es or en.");
const ACCEPTED_ZONES: Text = Text::new(
    "Se acepta un nombre de zona horaria IANA, como America/Bogota.",
    "Accepted: the IANA name of a time zone, such as America/Bogota.",
);
const ACCEPTED_HEADERS: Text = Text::new("Se acepta labels o keys.", "Accepted: labels or keys.");
const ACCEPTED_DELIMITERS: Text = Text::new("Se acepta , o ;.", "Accepted: , or ;.");
const ACCEPTED_DECIMALS: Text = Text::new("Se acepta . o ,.", "Accepted: . or ,.");
const ACCEPTED_BOMS: Text = Text::new("Se acepta 0 o 1.", "Accepted: 0 or 1.");

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = Defaults { locale: Locale::Es, timezone: Tz::UTC };

    fn parse(pairs: &[(&str, &str)]) -> Result<ExportRequest> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ExportRequest::parse(&pairs, DEFAULTS)
    }

    #[test]
    fn a_request_parses_from_its_own_parameters() {
        let request = parse(&[
            ("format", "csv"),
            ("dataset", "video_player_events"),
            ("columns", "event, recorded_at"),
            ("delimiter", ";"),
            ("course_id", "7"),
            ("date_to", "2026-11-16"),
        ])
        .unwrap();
        assert_eq!(ExportRequest::parse(&request.parameters(), DEFAULTS).unwrap(), request);
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let rejected = parse(&[
            ("dataset", "discord_practices"),
            ("format", "csv"),
            ("bom", "yes"),
            ("columns", "meeting_token"),
            ("event", "play"),
        ]);
        let Err(Error::Invalid(fields)) = rejected else { panic!("the request must be rejected") };
        let fields: Vec<&str> = fields.iter().map(|invalid| invalid.field.as_str()).collect();
        assert_eq!(fields, ["bom", "event", "columns"]);
    }
}
