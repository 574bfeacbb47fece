//! Page state <-> address: what somebody would bookmark stands in the URL, and is read back from it.

pub mod dates;

use chrono::NaiveDate;
use domain::filter::{FieldProblem, FilterKey};
use domain::format::{Bom, CsvLayout, Decimal, Delimiter, Headers};
use domain::{Dataset, ExportFormat, Filter, Locale};

use dates::Dates;

/// A section of the Hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Choose, preview and download.
    Export,
    /// The sync with the analytics services.
    Sync,
    /// The record of exports.
    Records,
    /// Profile, preferences, API tokens.
    Account,
}

impl Section {
    /// Every section, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Export, Self::Sync, Self::Records, Self::Account];

    /// The section at a path, in whichever language.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| Locale::ALL.iter().any(|locale| section.path(*locale) == path))
    }

    /// Where the section is, in a language.
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

/// The same page in another language: only the path's first segment changes.
pub fn in_language(path: &str, search: &str, locale: Locale) -> String {
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    let search = search.trim_start_matches('?');
    let mark = if search.is_empty() { "" } else { "?" };
    format!("/{}/{rest}{mark}{search}", locale.tag())
}

/// The state of the export page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// The dataset, when one was chosen.
    pub dataset: Option<Dataset>,
    /// Which dates.
    pub dates: Dates,
    /// The other filters' values, as typed.
    pub values: Vec<(FilterKey, String)>,
    /// The file's format.
    pub format: Format,
    /// How a CSV file is laid out.
    pub layout: CsvLayout,
}

/// The file's format, CSV unless another one was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format(pub ExportFormat);

impl Default for Format {
    fn default() -> Self {
        Self(ExportFormat::Csv)
    }
}

impl ExportPage {
    /// Reads the state from an address's query; what is not understood is passed over.
    pub fn read(search: &str) -> Self {
        let mut page = Self::default();
        for (key, value) in form_urlencoded::parse(search.trim_start_matches('?').as_bytes()) {
            match key.as_ref() {
                "dataset" => page.dataset = Dataset::parse(&value),
                "format" => page.format = ExportFormat::parse(&value).map(Format).unwrap_or_default(),
                "headers" => page.layout.headers = Headers::parse(&value).unwrap_or_default(),
                "delimiter" => page.layout.delimiter = Delimiter::parse(&value).unwrap_or_default(),
                "decimal" => page.layout.decimal = Decimal::parse(&value).unwrap_or_default(),
                "bom" => page.layout.bom = Bom::parse(&value).unwrap_or_default(),
                other => {
                    if !page.dates.read(other, &value)
                        && let Some(key) = FilterKey::parse(other)
                    {
                        page.set(key, &value);
                    }
                }
            }
        }
        page
    }

    /// Writes the state as an address's query, without what is as usual.
    pub fn write(&self) -> String {
        let Self { dataset, dates, values, format, layout } = self;
        let CsvLayout { headers, delimiter, decimal, bom } = layout;
        let usual = CsvLayout::default();
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(dataset) = dataset {
            query.append_pair("dataset", dataset.key());
        }
        query.extend_pairs(dates.write());
        query.extend_pairs(values.iter().map(|(key, value)| (key.key(), value)));
        if *format != Format::default() {
            query.append_pair("format", format.0.key());
        }
        if *headers != usual.headers {
            query.append_pair("headers", headers.key());
        }
        if *delimiter != usual.delimiter {
            query.append_pair("delimiter", &delimiter.character().to_string());
        }
        if *decimal != usual.decimal {
            query.append_pair("decimal", &decimal.character().to_string());
        }
        if *bom != usual.bom {
            query.append_pair("bom", bom.key());
        }
        query.finish()
    }

    /// The value of a filter; empty when it is not set.
    pub fn value(&self, key: FilterKey) -> &str {
        self.values.iter().find(|(known, _)| *known == key).map_or("", |(_, value)| value)
    }

    /// Sets a filter, or takes it away when the value is blank.
    pub fn set(&mut self, key: FilterKey, value: &str) {
        self.values.retain(|(known, _)| *known != key);
        if !value.trim().is_empty() {
            self.values.push((key, value.trim().to_owned()));
        }
    }

    /// Changes the dataset and keeps the filters that mean the same in both.
    pub fn choose(&mut self, dataset: Dataset) {
        self.dataset = Some(dataset);
        self.values.retain(|(key, _)| matches!(key, FilterKey::CourseId | FilterKey::LessonId));
        self.keep_to(dataset);
    }

    /// Drops the filters that a dataset does not have: what nobody sees must not count.
    pub fn keep_to(&mut self, dataset: Dataset) {
        let dataset = dataset.describe();
        if dataset.filter(FilterKey::DateFrom).is_none() {
            self.dates = Dates::All;
        }
        self.values.retain(|(key, _)| dataset.filter(*key).is_some());
    }

    /// Whether any filter is set.
    pub fn has_filters(&self) -> bool {
        self.dates != Dates::All || !self.values.is_empty()
    }

    /// Takes every filter away.
    pub fn clear_filters(&mut self) {
        self.dates = Dates::All;
        self.values.clear();
    }

    /// The filter that a dataset takes from this state.
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
    fn the_address_reads_back_what_it_writes() {
        let mut page = ExportPage {
            dataset: Some(Dataset::DiscordPractices),
            dates: Dates::Last7Days,
            format: Format(ExportFormat::Ndjson),
            layout: CsvLayout { delimiter: Delimiter::Semicolon, bom: Bom::With, ..CsvLayout::default() },
            ..ExportPage::default()
        };
        page.set(FilterKey::CourseId, "12");
        page.set(FilterKey::Type, "50 % más & mejor");
        assert_eq!(ExportPage::read(&page.write()), page);
    }

    #[test]
    fn an_address_says_nothing_of_what_is_as_usual() {
        assert_eq!(ExportPage::default().write(), "");
    }

    #[test]
    fn what_an_address_holds_beside_our_state_is_passed_over() {
        assert_eq!(ExportPage::read("?utm_source=mail&dataset=secrets&format=exe"), ExportPage::default());
    }

    #[test]
    fn a_dataset_gets_only_the_filters_that_it_has() {
        let mut page = ExportPage::read("date=today&course_id=3&lesson_id=9");
        page.keep_to(Dataset::CourseTeacherAssignments);
        assert_eq!(page.write(), "course_id=3");
        let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let filter = page.filter(Dataset::CourseTeacherAssignments, today).unwrap();
        assert_eq!(filter, Filter { course_id: Some(3), ..Filter::default() });
    }

    #[test]
    fn another_dataset_keeps_course_and_lesson_but_not_the_status() {
        let mut page = ExportPage::read("dataset=discord_practices&course_id=3&status=cancelled");
        page.choose(Dataset::PracticePackageOrders);
        assert_eq!(page.write(), "dataset=practice_package_orders&course_id=3");
    }

    #[test]
    fn the_language_changes_in_place() {
        let path = in_language("/es/admin/data-porter/records", "?a=1", Locale::En);
        assert_eq!(path, "/en/admin/data-porter/records?a=1");
        assert_eq!(Section::at(&path[..path.len() - 4]), Some(Section::Records));
    }
}
