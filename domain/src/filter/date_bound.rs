//! The bounds of a time range, and their meaning in the hub's time zone.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::Tz;

/// A bound of a time range, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateBound {
    /// A whole day in the hub's time zone.
    Day(NaiveDate),
    /// A point in time.
    Moment(DateTime<Utc>),
}

/// The upper bound of a time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Exclusive.
    Before(DateTime<Utc>),
    /// Inclusive.
    NotAfter(DateTime<Utc>),
}

impl DateBound {
    /// Reads `2026-11-16` or an RFC 3339 timestamp such as `2026-11-16T09:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            && text.len() == 10
            && text.starts_with(|first: char| first.is_ascii_digit())
        {
            return Some(Self::Day(day));
        }
        // HTML forms decode `+` as a space.
        let text = text.replace(' ', "+");
        DateTime::parse_from_rfc3339(&text).ok().map(|moment| Self::Moment(moment.to_utc()))
    }

    /// The first moment of a range that starts with this bound.
    pub fn start(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => start_of_day(day, zone),
            Self::Moment(moment) => moment,
        }
    }

    /// The upper bound of a range that ends with this bound.
    pub fn end(self, zone: Tz) -> Until {
        match self {
            Self::Day(day) => match day.checked_add_days(Days::new(1)) {
                Some(next) => Until::Before(start_of_day(next, zone)),
                None => Until::NotAfter(DateTime::<Utc>::MAX_UTC),
            },
            Self::Moment(moment) => Until::NotAfter(moment),
        }
    }
}

impl fmt::Display for DateBound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(formatter, "{day}"),
            Self::Moment(moment) => formatter.write_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// The first moment of a day. It is after midnight if clocks are put forward at midnight.
fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let mut moment = zone.from_local_datetime(&midnight).earliest();
    let mut hour = 0;
    while moment.is_none() && hour < 4 {
        hour += 1;
        moment = zone.from_local_datetime(&(midnight + chrono::Duration::minutes(30 * hour))).earliest();
    }
    moment.map_or_else(|| midnight.and_utc(), |moment| moment.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_the_whole_day_in_the_hubs_time_zone() {
        let day = DateBound::parse("2026-11-16").unwrap();
        let bogota = Tz::America__Bogota;
        assert_eq!(day.start(bogota).to_rfc3339(), "2026-11-16T05:00:00+00:00");
        let Until::Before(end) = day.end(bogota) else { panic!("a day ends before the next one") };
        assert_eq!(end.to_rfc3339(), "2026-11-17T05:00:00+00:00");
    }

    #[test]
    fn a_day_without_midnight_begins_when_clocks_are_put_forward() {
        // Chile moved from 00:00 to 01:00 on 8 September 2024.
        let day = DateBound::parse("2024-09-08").unwrap();
        assert_eq!(day.start(Tz::America__Santiago).to_rfc3339(), "2024-09-08T04:00:00+00:00");
    }
}
