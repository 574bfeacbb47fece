//! Periods relative to today.

use chrono::{Datelike as _, Days, Months, NaiveDate};

/// A period relative to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateRange {
    /// Today and the six days before.
    Last7Days,
    /// Today and the 29 days before.
    Last30Days,
    /// From the first of the month to today.
    ThisMonth,
    /// The whole month before.
    LastMonth,
}

impl DateRange {
    /// Every period.
    pub const ALL: [Self; 4] = [Self::Last7Days, Self::Last30Days, Self::ThisMonth, Self::LastMonth];

    /// The name in requests.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Last7Days => "last_7_days",
            Self::Last30Days => "last_30_days",
            Self::ThisMonth => "this_month",
            Self::LastMonth => "last_month",
        }
    }

    /// The period with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.key() == key)
    }

    /// The first and the last day.
    pub fn days(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let days_before = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        let first_of_month = today.with_day(1).unwrap_or(today);
        match self {
            Self::Last7Days => (days_before(6), today),
            Self::Last30Days => (days_before(29), today),
            Self::ThisMonth => (first_of_month, today),
            Self::LastMonth => {
                let first = first_of_month.checked_sub_months(Months::new(1)).unwrap_or(first_of_month);
                (first, first_of_month.pred_opt().unwrap_or(first_of_month))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_relative_to_today() {
        let days = |range: DateRange, today: &str| {
            let (first, last) = range.days(today.parse().unwrap());
            format!("{first} {last}")
        };
        assert_eq!(days(DateRange::Last7Days, "2026-03-02"), "2026-02-24 2026-03-02");
        assert_eq!(days(DateRange::Last30Days, "2026-03-02"), "2026-02-01 2026-03-02");
        assert_eq!(days(DateRange::ThisMonth, "2026-03-02"), "2026-03-01 2026-03-02");
        assert_eq!(days(DateRange::LastMonth, "2028-03-31"), "2028-02-01 2028-02-29");
        assert_eq!(days(DateRange::LastMonth, "2027-01-01"), "2026-12-01 2026-12-31");
        assert_eq!(DateRange::ALL.map(|range| DateRange::parse(range.key())), DateRange::ALL.map(Some));
    }
}
