//! The options of a request.

use chrono_tz::Tz;
use domain::filter::DateRange;
use domain::format::{Bom, CsvLayout, Decimal, Delimiter, Headers, Names};
use domain::text::{Phrase, Text};
use domain::{Dataset, ExportFormat, Locale};

use super::ExportRequest;
use crate::error::InvalidField;

/// An option of a request.
pub(super) struct ExportOption {
    pub key: &'static str,
    /// Sets the option. `None` if the value is not accepted.
    pub set: fn(&mut Draft, &str) -> Option<()>,
    /// What is accepted.
    accepted: fn() -> Phrase,
    /// The value in a request that [`ExportRequest::parse`] reads back. `None` if the option has no effect.
    pub get: fn(&ExportRequest) -> Option<String>,
}

/// A request whose options are being set.
pub(super) struct Draft {
    pub dataset: Option<Dataset>,
    pub format: Option<ExportFormat>,
    /// The keys of the columns, separated by commas.
    pub columns: String,
    pub locale: Locale,
    pub timezone: Tz,
    pub layout: CsvLayout,
    pub names: Names,
    pub date_range: Option<DateRange>,
}

/// The option that stands for the two date filters.
pub const DATE_RANGE: &str = "date_range";

/// Every option, in the order of links.
pub(super) const OPTIONS: [ExportOption; 11] = [
    ExportOption {
        key: "dataset",
        set: |draft, value| Dataset::parse(value).map(|dataset| draft.dataset = Some(dataset)),
        accepted: || Phrase::accepted(&Dataset::ALL.map(Dataset::key)),
        get: |request| Some(request.dataset.key().to_owned()),
    },
    ExportOption {
        key: "format",
        set: |draft, value| ExportFormat::parse(value).map(|format| draft.format = Some(format)),
        accepted: || Phrase::accepted(&ExportFormat::ALL.map(ExportFormat::key)),
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
        get: |request| request.has_headers().then(|| request.layout.headers.key().to_owned()),
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
    ExportOption {
        key: "names",
        set: |draft, value| Names::parse(value).map(|names| draft.names = names),
        accepted: || Phrase::accepted(&["0", "1"]),
        get: |request| request.has_headers().then(|| request.names.key().to_owned()),
    },
    ExportOption {
        key: DATE_RANGE,
        set: |draft, value| DateRange::parse(value).map(|range| draft.date_range = Some(range)),
        accepted: || Phrase::accepted(&DateRange::ALL.map(DateRange::key)),
        // The days are in the filter.
        get: |_| None,
    },
];

impl ExportOption {
    /// Says that its value is not accepted.
    pub fn rejection(&self) -> InvalidField {
        InvalidField { field: self.key.to_owned(), message: (self.accepted)() }
    }
}

const ACCEPTED_TIME_ZONES: Text = Text::new(
    "Se acepta un nombre de zona horaria IANA, como America/Bogota.",
    "Accepted: the IANA name of a time zone, such as America/Bogota.",
);
/// What `columns` accepts. In JSON they are a list, and otherwise a text in which commas separate them.
pub const ACCEPTED_COLUMNS: Text =
    Text::new("Debe ser una lista de claves de columnas.", "Must be a list of column keys.");
