//! The date filter: presets relative to today, and custom periods.

use chrono::{Datelike, Days, NaiveDate};
use domain::dataset::FilterKey;

/// Which dates to export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dates {
    /// All dates.
    #[default]
    All,
    /// Today.
    Today,
    /// Today and the six days before.
    Last7Days,
    /// Today and the 29 days before.
    Last30Days,
    /// From the first of the month.
    ThisMonth,
    /// A custom period. Either end may be open.
    Custom {
        /// The first day, as typed.
        from: String,
        /// The last day, as typed.
        to: String,
    },
}

impl Dates {
    /// Every kind of period, in display order.
    pub fn options() -> [Self; 6] {
        let custom = Self::Custom { from: String::new(), to: String::new() };
        [Self::All, Self::Today, Self::Last7Days, Self::Last30Days, Self::ThisMonth, custom]
    }

    /// The kind's name in URLs and forms.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Today => "today",
            Self::Last7Days => "last_7_days",
            Self::Last30Days => "last_30_days",
            Self::ThisMonth => "this_month",
            Self::Custom { .. } => "custom",
        }
    }

    /// The kind of period with this name. A custom period is open at both ends.
    pub fn parse(key: &str) -> Option<Self> {
        Self::options().into_iter().find(|dates| dates.key() == key)
    }

    /// Applies a key-value pair of a URL query. Returns false if the key is not a date key.
    pub fn parse_pair(&mut self, key: &str, value: &str) -> bool {
        let end = match (key, &mut *self) {
            ("date", _) => {
                *self = Self::parse(value).unwrap_or_default();
                return true;
            }
            ("date_from" | "date_to", Self::Custom { from, to }) => {
                if key == "date_from" {
                    from
                } else {
                    to
                }
            }
            ("date_from", _) => {
                *self = Self::Custom { from: value.to_owned(), to: String::new() };
                return true;
            }
            ("date_to", _) => {
                *self = Self::Custom { from: String::new(), to: value.to_owned() };
                return true;
            }
            (_, _) => return false,
        };
        value.clone_into(end);
        true
    }

    /// The key-value pairs for a URL query, empty for all dates.
    pub fn to_pairs(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::All => Vec::new(),
            Self::Today | Self::Last7Days | Self::Last30Days | Self::ThisMonth => vec![("date", self.key())],
            Self::Custom { from, to } if from.is_empty() && to.is_empty() => vec![("date", self.key())],
            Self::Custom { from, to } => [("date_from", from.as_str()), ("date_to", to.as_str())]
                .into_iter()
                .filter(|(_, day)| !day.is_empty())
                .collect(),
        }
    }

    /// The date filters, given today's date.
    pub fn bounds(&self, today: NaiveDate) -> Vec<(FilterKey, String)> {
        let since = |first: NaiveDate| {
            vec![(FilterKey::DATE_FROM, first.to_string()), (FilterKey::DATE_TO, today.to_string())]
        };
        let days_before = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        match self {
            Self::All => Vec::new(),
            Self::Today => since(today),
            Self::Last7Days => since(days_before(6)),
            Self::Last30Days => since(days_before(29)),
            Self::ThisMonth => since(today.with_day(1).unwrap_or(today)),
            Self::Custom { from, to } => {
                vec![(FilterKey::DATE_FROM, from.clone()), (FilterKey::DATE_TO, to.clone())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(dates: &Dates) -> Vec<String> {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        dates.bounds(today).into_iter().map(|(key, day)| format!("{}={day}", key.key())).collect()
    }

    #[test]
    fn presets_end_today_inclusive() {
        assert_eq!(bounds(&Dates::Today), ["date_from=2026-03-02", "date_to=2026-03-02"]);
        assert_eq!(bounds(&Dates::Last7Days), ["date_from=2026-02-24", "date_to=2026-03-02"]);
        assert_eq!(bounds(&Dates::Last30Days), ["date_from=2026-02-01", "date_to=2026-03-02"]);
        assert_eq!(bounds(&Dates::ThisMonth), ["date_from=2026-03-01", "date_to=2026-03-02"]);
    }

    #[test]
    fn all_dates_set_no_filter() {
        assert!(bounds(&Dates::All).is_empty());
    }

    #[test]
    fn a_custom_period_survives_a_round_trip_through_the_url() {
        let mut dates = Dates::All;
        assert!(dates.parse_pair("date_to", "2026-11-16") && dates.parse_pair("date_from", "2026-11-01"));
        assert_eq!(dates, Dates::Custom { from: "2026-11-01".to_owned(), to: "2026-11-16".to_owned() });
        assert_eq!(dates.to_pairs(), [("date_from", "2026-11-01"), ("date_to", "2026-11-16")]);
    }

    #[test]
    fn an_open_custom_period_stays_selected() {
        let dates = Dates::Custom { from: String::new(), to: String::new() };
        let mut parsed = Dates::All;
        for (key, value) in dates.to_pairs() {
            parsed.parse_pair(key, value);
        }
        assert_eq!(parsed, dates);
    }
}
