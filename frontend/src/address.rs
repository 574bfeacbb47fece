//! Page state in the URL: everything a user would want to bookmark.

pub mod dates;

use chrono::NaiveDate;
use domain::dataset::FilterKey;
use domain::filter::{FieldProblem, parse_id};
use domain::format::{Bom, CsvLayout, Decimal, Delimiter, Headers};
use domain::{Dataset, ExportFormat, Filter, Locale};

use dates::Dates;

/// A section of the Hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Filter, preview and download a dataset.
    Export,
    /// The sync with the analytics services.
    Sync,
    /// The export history.
    Records,
    /// Profile, preferences, API tokens.
    Account,
}

impl Section {
    /// Every section, in display order.
    pub const ALL: [Self; 4] = [Self::Export, Self::Sync, Self::Records, Self::Account];

    /// The section at a path, in any language.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| Locale::ALL.iter().any(|locale| section.path(*locale) == path))
    }

    /// The section's path in a language.
    pub fn path(self, locale: Locale) -> String {
        let root = format!("/{}/admin/data-porter", locale.tag());
        match self {
            Self::Export => root,
            Self::Sync => format!("{root}/sync"),
            Self::Records => format!("{root}/records"),
            Self::Account => format!("{root}/account"),
        }
    }
}

/// The address of the same page in another language. Only the path's first segment changes.
pub fn in_language(path: &str, search: &str, locale: Locale) -> String {
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    let search = search.trim_start_matches('?');
    let separator = if search.is_empty() { "" } else { "?" };
    format!("/{}/{rest}{separator}{search}", locale.tag())
}

/// The state of the export page, as its URL's query holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportQuery {
    /// The selected dataset, if any.
    pub dataset: Option<Dataset>,
    pub dates: Dates,
    /// The other filters' values, as typed.
    pub values: Vec<(FilterKey, String)>,
    pub format: FileFormat,
    pub layout: ChosenLayout,
    /// The id of the practice whose reservations are shown.
    pub practice: Option<String>,
}

/// The layout of a CSV file, as far as it was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChosenLayout {
    pub headers: Headers,
    /// `None` for what spreadsheets in the page's language expect.
    pub delimiter: Option<Delimiter>,
    /// `None` for what spreadsheets in the page's language expect.
    pub decimal: Option<Decimal>,
    pub bom: Bom,
}

impl ChosenLayout {
    /// The layout for a page in this language.
    pub fn in_locale(self, locale: Locale) -> CsvLayout {
        CsvLayout {
            headers: self.headers,
            delimiter: self.delimiter.unwrap_or(Delimiter::usual_in(locale)),
            decimal: self.decimal.unwrap_or(Decimal::usual_in(locale)),
            bom: self.bom,
        }
    }
}

/// The file format. The default is CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFormat(pub ExportFormat);

impl Default for FileFormat {
    fn default() -> Self {
        Self(ExportFormat::Csv)
    }
}

impl ExportQuery {
    /// Parses a URL query. Unknown parameters and invalid values are ignored.
    pub fn parse(search: &str) -> Self {
        let mut page = Self::default();
        for (key, value) in form_urlencoded::parse(search.trim_start_matches('?').as_bytes()) {
            match key.as_ref() {
                "dataset" => page.dataset = Dataset::parse(&value),
                "format" => page.format = ExportFormat::parse(&value).map(FileFormat).unwrap_or_default(),
                "headers" => page.layout.headers = Headers::parse(&value).unwrap_or_default(),
                "delimiter" => page.layout.delimiter = Delimiter::parse(&value),
                "decimal" => page.layout.decimal = Decimal::parse(&value),
                "practice" => page.practice = parse_id(&value).ok().map(|id| id.to_string()),
                "bom" => page.layout.bom = Bom::parse(&value).unwrap_or_default(),
                other => {
                    if !page.dates.parse_pair(other, &value)
                        && let Some(key) = FilterKey::parse(other)
                    {
                        page.set(key, &value);
                    }
                }
            }
        }
        page
    }

    /// Serializes the state as a URL query, without default values.
    pub fn serialize(&self) -> String {
        let Self { dataset, dates, values, format, layout, practice } = self;
        let ChosenLayout { headers, delimiter, decimal, bom } = layout;
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(dataset) = dataset {
            query.append_pair("dataset", dataset.key());
        }
        query.extend_pairs(dates.to_pairs());
        query.extend_pairs(values.iter().map(|(key, value)| (key.key(), value)));
        if *format != FileFormat::default() {
            query.append_pair("format", format.0.key());
        }
        if *headers != Headers::default() {
            query.append_pair("headers", headers.key());
        }
        if let Some(delimiter) = delimiter {
            query.append_pair("delimiter", &delimiter.character().to_string());
        }
        if let Some(decimal) = decimal {
            query.append_pair("decimal", &decimal.character().to_string());
        }
        if *bom != Bom::default() {
            query.append_pair("bom", bom.key());
        }
        if let Some(practice) = practice {
            query.append_pair("practice", practice);
        }
        query.finish()
    }

    /// The value of a filter, empty if it is not set.
    pub fn value(&self, key: FilterKey) -> &str {
        self.values.iter().find(|(known, _)| *known == key).map_or("", |(_, value)| value)
    }

    /// Sets a filter, or removes it if the value is blank.
    pub fn set(&mut self, key: FilterKey, value: &str) {
        self.values.retain(|(known, _)| *known != key);
        if !value.trim().is_empty() {
            self.values.push((key, value.trim().to_owned()));
        }
    }

    /// Changes the dataset and keeps only the filters with the same meaning in both.
    pub fn select_dataset(&mut self, dataset: Dataset) {
        self.dataset = Some(dataset);
        self.practice = None;
        self.values.retain(|(key, _)| [FilterKey::COURSE_ID, FilterKey::LESSON_ID].contains(key));
        self.drop_unsupported_filters(dataset);
    }

    /// Removes the filters that a dataset does not have, since the page does not show them.
    pub fn drop_unsupported_filters(&mut self, dataset: Dataset) {
        let dataset = dataset.describe();
        if dataset.filter(FilterKey::DATE_FROM).is_none() {
            self.dates = Dates::All;
        }
        self.values.retain(|(key, _)| dataset.filter(*key).is_some());
    }

    /// Whether any filter is set.
    pub fn has_filters(&self) -> bool {
        self.dates != Dates::All || !self.values.is_empty()
    }

    /// Removes every filter.
    pub fn clear_filters(&mut self) {
        self.dates = Dates::All;
        self.values.clear();
    }

    /// The validated filter for a dataset, or what is wrong with each field.
    pub fn filter(&self, dataset: Dataset, today: NaiveDate) -> Result<Filter, Vec<FieldProblem>> {
        let dates = self.dates.bounds(today);
        let values = self.values.iter().map(|(key, value)| (*key, value.clone()));
        let pairs: Vec<(FilterKey, String)> = dates.into_iter().chain(values).collect();
        Filter::parse(dataset, pairs.iter().map(|(key, value)| (key.key(), value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serialized_state_parses_back_to_the_same_state() {
        let mut page = ExportQuery {
            dataset: Some(Dataset::DiscordPractices),
            dates: Dates::Last7Days,
            format: FileFormat(ExportFormat::Ndjson),
            layout: ChosenLayout {
                delimiter: Some(Delimiter::Semicolon),
                bom: Bom::With,
                ..ChosenLayout::default()
            },
            practice: Some("31".to_owned()),
            ..ExportQuery::default()
        };
        page.set(FilterKey::COURSE_ID, "12");
        page.set(FilterKey::TYPE, "50 % más & mejor");
        assert_eq!(ExportQuery::parse(&page.serialize()), page);
    }

    #[test]
    fn default_values_are_left_out_of_the_address() {
        assert_eq!(ExportQuery::default().serialize(), "");
    }

    #[test]
    fn unknown_parameters_and_values_are_ignored() {
        assert_eq!(ExportQuery::parse("?utm_source=mail&dataset=secrets&format=exe"), ExportQuery::default());
    }

    #[test]
    fn filters_that_the_dataset_does_not_have_are_removed() {
        let mut page = ExportQuery::parse("date=today&course_id=3&lesson_id=9");
        page.drop_unsupported_filters(Dataset::CourseTeacherAssignments);
        assert_eq!(page.serialize(), "course_id=3");
        let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let filter = page.filter(Dataset::CourseTeacherAssignments, today).unwrap();
        assert_eq!(filter.pairs(), [(FilterKey::COURSE_ID, "3".to_owned())]);
    }

    #[test]
    fn changing_the_dataset_keeps_course_and_lesson_but_not_the_status() {
        let mut page = ExportQuery::parse("dataset=discord_practices&course_id=3&status=cancelled");
        page.select_dataset(Dataset::PracticePackageOrders);
        assert_eq!(page.serialize(), "dataset=practice_package_orders&course_id=3");
    }

    #[test]
    fn changing_the_language_keeps_the_page_and_its_query() {
        let path = in_language("/es/admin/data-porter/records", "?a=1", Locale::En);
        assert_eq!(path, "/en/admin/data-porter/records?a=1");
        assert_eq!(Section::at(&path[..path.len() - 4]), Some(Section::Records));
    }
}
