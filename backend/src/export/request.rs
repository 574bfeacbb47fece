//! An export request. Requests from JSON, from a link and from the command line are parsed by the same rules.

mod option;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::dataset::{Column, FilterKey};
use domain::filter::Problem;
use domain::format::{CsvLayout, Names};
use domain::text::{Phrase, Text};
use domain::{Dataset, ExportFormat, Filter, Locale};

pub use self::option::{ACCEPTED_COLUMNS, DATE_RANGE};
use self::option::{Draft, ExportOption, OPTIONS};
use crate::app::App;
use crate::error::{Error, InvalidField, Result};
use crate::models::user::User;

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
    /// Whether the names of people, courses and lessons are beside their ids.
    pub names: Names,
}

/// The values of options that the request does not set.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// The language of readable headers.
    pub locale: Locale,
    /// The time zone of timestamps.
    pub timezone: Tz,
    /// The day that periods are relative to, in the hub's time zone.
    pub today: NaiveDate,
}

impl Defaults {
    /// The values for a user who reads in this language.
    pub fn for_user(app: &App, user: &User, locale: Locale) -> Self {
        let hub_timezone = app.config.hub.timezone;
        let own_timezone = user.timezone.as_deref().and_then(|name| name.parse().ok());
        let today = app.clock.now().with_timezone(&hub_timezone).date_naive();
        Self { locale, timezone: own_timezone.unwrap_or(hub_timezone), today }
    }

    /// Any values, for a link, which sets every option.
    pub fn of_link(now: DateTime<Utc>) -> Self {
        Self { locale: Locale::default(), timezone: Tz::UTC, today: now.date_naive() }
    }
}

pub use crate::auth::signed_link::Parameters;

/// The names of the options. Parameters with other names are filters.
pub fn option_keys() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|option| option.key)
}

impl ExportRequest {
    /// Parses the parameters. Every parameter that is not an option must be a filter of the dataset.
    ///
    /// Reports all errors at once, with one message per field.
    pub fn parse(parameters: &Parameters, defaults: Defaults) -> Result<Self> {
        let Defaults { locale, timezone, today } = defaults;
        let mut draft = Draft {
            dataset: None,
            format: None,
            columns: String::new(),
            locale,
            timezone,
            layout: CsvLayout::default(),
            names: Names::default(),
            date_range: None,
        };
        let mut filters = Vec::new();
        let mut invalid = Vec::new();
        for (place, (key, value)) in parameters.iter().enumerate() {
            match OPTIONS.iter().find(|option| option.key == key) {
                Some(_) if parameters[..place].iter().any(|(earlier, _)| earlier == key) => {
                    invalid.push(InvalidField { field: key.clone(), message: Problem::Repeated.message() });
                }
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
        let Draft { dataset, format, columns, locale, timezone, layout, names, date_range } = draft;
        let (Some(dataset), Some(format)) = (dataset, format) else { return Err(Error::Invalid(invalid)) };
        let days = date_range
            .map(|range| range.days(today))
            .map(|(first, last)| [first, last].map(|day| day.to_string()));
        if let Some(days) = &days
            && let Err(message) = add_days(dataset, days, &mut filters)
        {
            invalid.push(InvalidField { field: DATE_RANGE.to_owned(), message: message.into() });
        }
        let filter = Filter::parse(dataset, filters).unwrap_or_else(|problems| {
            invalid.extend(problems.into_iter().map(InvalidField::from));
            Filter::default()
        });
        let columns = parse_columns(dataset, &columns).unwrap_or_else(|problem| {
            invalid.push(problem);
            Vec::new()
        });
        if invalid.is_empty() {
            Ok(Self { dataset, format, filter, columns, locale, timezone, layout, names })
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

    /// Whether the file has the header and the names that people read.
    fn has_headers(&self) -> bool {
        match self.format {
            ExportFormat::Csv | ExportFormat::Xlsx => true,
            ExportFormat::Json | ExportFormat::Ndjson | ExportFormat::Parquet => false,
        }
    }

    /// The columns of the file, in order.
    pub fn chosen_columns(&self) -> Vec<&'static Column> {
        let known = self.dataset.describe();
        let chosen: Vec<&'static Column> = if self.columns.is_empty() {
            known.columns.iter().collect()
        } else {
            self.columns.iter().filter_map(|key| known.column(key)).collect()
        };
        match self.names {
            Names::With if self.has_headers() => {
                let with_name = |column: &'static Column| [Some(column), known.name_column(column.key)];
                chosen.into_iter().flat_map(with_name).flatten().collect()
            }
            Names::With | Names::Without => chosen,
        }
    }
}

/// Adds the date filters from the first to the last day, which must not be set.
fn add_days<'a>(
    dataset: Dataset,
    days: &'a [String; 2],
    filters: &mut Vec<(&'a str, &'a str)>,
) -> Result<(), Text> {
    let dates = [FilterKey::DATE_FROM.key(), FilterKey::DATE_TO.key()];
    if dataset.describe().filter(FilterKey::DATE_FROM).is_none() {
        return Err(NO_DATES);
    }
    // Blank values are ignored.
    if filters.iter().any(|(key, value)| dates.contains(key) && !value.trim().is_empty()) {
        return Err(OTHER_DATES);
    }
    filters.retain(|(key, _)| !dates.contains(key));
    filters.extend(dates.into_iter().zip(days.iter().map(String::as_str)));
    Ok(())
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

const NO_DATES: Text =
    Text::new("Este conjunto de datos no se filtra por fecha.", "This dataset has no date filters.");
const OTHER_DATES: Text =
    Text::new("No se combina con date_from ni date_to.", "It cannot be combined with date_from or date_to.");
#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = Defaults {
        locale: Locale::Es,
        timezone: Tz::UTC,
        today: NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(),
    };

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
    fn names_are_beside_their_ids() {
        let mut parameters =
            vec![("format", "csv"), ("dataset", "discord_practices"), ("names", "1"), ("headers", "keys")];
        let keys = |parameters: &[(&str, &str)]| -> Vec<&str> {
            parse(parameters).unwrap().chosen_columns().iter().map(|column| column.key).collect()
        };
        let all = keys(&parameters);
        let after = |id: &str| all[all.iter().position(|key| *key == id).unwrap() + 1];
        assert_eq!((after("course_id"), after("creator_id")), ("course_title", "creator_name"));
        assert_eq!(
            all.iter().filter(|key| **key == "lesson_title").count(),
            1,
            "it is a column of the dataset"
        );
        parameters.push(("columns", "creator_id,title"));
        assert_eq!(keys(&parameters), ["creator_id", "creator_name", "title"]);
        parameters[0].1 = "json";
        assert_eq!(keys(&parameters), ["creator_id", "title"]);
    }

    #[test]
    fn a_period_becomes_two_days() {
        let with_dates = |range: &str, dates: &[(&str, &str)]| {
            let parameters = [("format", "json"), ("dataset", "discord_practices"), ("date_range", range)];
            parse(&[&parameters[..], dates].concat())
        };
        let request = with_dates("last_month", &[("date_from", "")]).unwrap();
        let expected = with_dates("last_month", &[]).unwrap();
        assert_eq!(request, expected);
        let parameters = request.parameters();
        assert!(parameters.contains(&("date_from".to_owned(), "2026-02-01".to_owned())), "{parameters:?}");
        assert!(parameters.contains(&("date_to".to_owned(), "2026-02-28".to_owned())), "{parameters:?}");
        let field = |rejected: Result<ExportRequest>| match rejected {
            Err(Error::Invalid(fields)) => fields[0].field.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(field(with_dates("last_week", &[])), "date_range");
        assert_eq!(field(with_dates("this_month", &[("date_to", "2026-03-01")])), "date_range");
        let assignments = [("format", "csv"), ("dataset", "course_teacher_assignments")];
        assert_eq!(field(parse(&[&assignments[..], &[("date_range", "this_month")]].concat())), "date_range");
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
