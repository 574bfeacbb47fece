//! An export request. Requests from JSON, from a link and from the command line are parsed by the same rules.

use chrono_tz::Tz;
use domain::dataset::Column;
use domain::format::{Bom, CsvLayout, Decimal, Delimiter, Headers};
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

pub use crate::auth::signed_link::Parameters;

/// An option of a request.
struct ExportOption {
    key: &'static str,
    /// Sets the option. `None` if the value is not accepted.
    set: fn(&mut Draft, &str) -> Option<()>,
    /// What is accepted.
    accepted: fn() -> Phrase,
    /// The value in a request that [`ExportRequest::parse`] reads back. `None` if the option has no effect.
    get: fn(&ExportRequest) -> Option<String>,
}

/// A request whose options are being set.
struct Draft {
    dataset: Option<Dataset>,
    format: Option<ExportFormat>,
    /// The keys of the columns, separated by commas.
    columns: String,
    locale: Locale,
    timezone: Tz,
    layout: CsvLayout,
}

/// Every option, in the order of links.
const OPTIONS: [ExportOption; 9] = [
    ExportOption {
        key: "dataset",
        set: |draft, value| Dataset::parse(value).map(|dataset| draft.dataset = Some(dataset)),
        accepted: || Phrase::accepted(&Dataset::ALL.map(Dataset::key)),
        get: |request| Some(request.dataset.key().to_owned()),
    },
    ExportOption {
        key: "format",
        set: |draft, value| ExportFormat::parse(value).map(|format| draft.format = Some(format)),
        accepted: || Phrase::accepted(&ExportFormat::AVAILABLE.map(ExportFormat::key)),
        get: |request| Some(request.format.key().to_owned()),
    },
    ExportOption {
        key: "columns",
        set: |draft, value| {
            value.clone_into(&mut draft.columns);
            Some(())
        },
        accepted: || ACCEPTED_COLUMNS.into(),
        get: |request| (!request.columns.is_empty()).then(|| request.columns.join(",")),
    },
    ExportOption {
        key: "headers",
        set: |draft, value| Headers::parse(value).map(|headers| draft.layout.headers = headers),
        accepted: || Phrase::accepted(&["labels", "keys"]),
        get: |request| request.csv(|layout| layout.headers.key().to_owned()),
    },
    ExportOption {
        key: "locale",
        set: |draft, value| Locale::parse(value).map(|locale| draft.locale = locale),
        accepted: || Phrase::accepted(&["es", "en"]),
        get: |request| Some(request.locale.tag().to_owned()),
    },
    ExportOption {
        key: "timezone",
        set: |draft, value| value.parse().ok().map(|zone| draft.timezone = zone),
        accepted: || ACCEPTED_TIME_ZONES.into(),
        get: |request| Some(request.timezone.name().to_owned()),
    },
    ExportOption {
        key: "delimiter",
        set: |draft, value| Delimiter::parse(value).map(|delimiter| draft.layout.delimiter = delimiter),
        accepted: || Phrase::accepted(&[",", ";"]),
        get: |request| request.csv(|layout| layout.delimiter.character().to_string()),
    },
    ExportOption {
        key: "decimal",
        set: |draft, value| Decimal::parse(value).map(|decimal| draft.layout.decimal = decimal),
        accepted: || Phrase::accepted(&[".", ","]),
        get: |request| request.csv(|layout| layout.decimal.character().to_string()),
    },
    ExportOption {
        key: "bom",
        set: |draft, value| Bom::parse(value).map(|bom| draft.layout.bom = bom),
        accepted: || Phrase::accepted(&["0", "1"]),
        get: |request| request.csv(|layout| layout.bom.key().to_owned()),
    },
];

/// The names of the options. Parameters with other names are filters.
pub fn option_keys() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|option| option.key)
}

impl ExportRequest {
    /// Parses the parameters. Every parameter that is not an option must be a filter of the dataset.
    ///
    /// Reports all errors at once, with one message per field.
    pub fn parse(parameters: &Parameters, defaults: Defaults) -> Result<Self> {
        let Defaults { locale, timezone } = defaults;
        let layout = CsvLayout::default();
        let mut draft =
            Draft { dataset: None, format: None, columns: String::new(), locale, timezone, layout };
        let mut filters = Vec::new();
        let mut invalid = Vec::new();
        for (key, value) in parameters {
            match OPTIONS.iter().find(|option| option.key == key) {
                Some(option) if (option.set)(&mut draft, value).is_some() => {}
                Some(option) => invalid.push(option.rejection()),
                None => filters.push((key.as_str(), value.as_str())),
            }
        }
        for required in ["dataset", "format"] {
            if !parameters.iter().any(|(key, _)| key == required) {
                let option = OPTIONS.iter().find(|option| option.key == required);
                invalid.extend(option.map(ExportOption::rejection));
            }
        }
        let Draft { dataset, format, columns, locale, timezone, layout } = draft;
        let (Some(dataset), Some(format)) = (dataset, format) else { return Err(Error::Invalid(invalid)) };
        let filter = Filter::parse(dataset, filters).unwrap_or_else(|problems| {
            invalid.extend(problems.into_iter().map(InvalidField::from));
            Filter::default()
        });
        let columns = parse_columns(dataset, &columns).unwrap_or_else(|problem| {
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
        let options = OPTIONS.iter().filter_map(|option| Some((option.key.to_owned(), (option.get)(self)?)));
        let filters = self.filter.pairs().into_iter().map(|(key, value)| (key.key().to_owned(), value));
        options.chain(filters).collect()
    }

    /// The value of an option that has an effect on CSV files only.
    fn csv(&self, value: impl FnOnce(&CsvLayout) -> String) -> Option<String> {
        (self.format == ExportFormat::Csv).then(|| value(&self.layout))
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

impl ExportOption {
    fn rejection(&self) -> InvalidField {
        InvalidField { field: self.key.to_owned(), message: (self.accepted)() }
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

const ACCEPTED_TIME_ZONES: Text = Text::new(
    "Se acepta un nombre de zona horaria IANA, como America/Bogota.",
    "Accepted: the IANA name of a time zone, such as America/Bogota.",
);
/// What `columns` accepts. In JSON they are a list, and otherwise a text in which commas separate them.
pub const ACCEPTED_COLUMNS: Text =
    Text::new("Debe ser una lista de claves de columnas.", "Must be a list of column keys.");

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
