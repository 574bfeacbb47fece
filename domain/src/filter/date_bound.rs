//! The bounds of a time range, and their meaning in the hub's time zone.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset as _, SecondsFormat, TimeZone as _, Utc};
use chrono_tz::{GapInfo, Tz};

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

/// The first moment of a day. If clocks skip its midnight, it is the moment at which they do. A day that they skip as a whole
/// begins when the next one does.
fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    if let Some(moment) = zone.from_local_datetime(&midnight).earliest() {
        return moment.to_utc();
    }
    let skipped_from = GapInfo::new(&midnight, &zone).and_then(|gap| gap.begin);
    skipped_from.map_or(midnight, |(local, offset)| local - offset.fix()).and_utc()
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike as _, TimeDelta};
    use chrono_tz::TZ_VARIANTS;

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

    #[test]
    fn a_skipped_day_is_empty() {
        // Samoa moved to the other side of the date line at the end of 29 December 2011.
        let day = DateBound::parse("2011-12-30").unwrap();
        let start = day.start(Tz::Pacific__Apia);
        assert_eq!(start.to_rfc3339(), "2011-12-30T10:00:00+00:00");
        assert_eq!(day.end(Tz::Pacific__Apia), Until::Before(start));
    }

    /// The days from 1970 to 2037 on which the offset at noon is another one than the day before.
    fn days_with_changes(zone: Tz) -> Vec<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let offset =
            |day: &NaiveDate| zone.offset_from_utc_datetime(&day.and_hms_opt(12, 0, 0).unwrap()).fix();
        let days = first.iter_days().take_while(|day| day.year() < 2038);
        let mut last = offset(&first);
        days.filter(|day| std::mem::replace(&mut last, offset(day)) != offset(day)).collect()
    }

    #[test]
    fn days_around_each_change_begin_at_their_first_second() {
        let mut found = 0;
        for zone in TZ_VARIANTS {
            let date = |moment: DateTime<Utc>| moment.with_timezone(&zone).date_naive();
            for change in days_with_changes(zone) {
                found += 1;
                for day in (change - Days::new(1)).iter_days().take(3) {
                    let bound = DateBound::Day(day);
                    let start = bound.start(zone);
                    assert!(date(start) >= day, "{zone}, {day}: {start} is the day before");
                    let seconds = (1..=90).chain((240..100_000).step_by(1_799));
                    for seconds in seconds {
                        let before = start - TimeDelta::seconds(seconds);
                        assert!(date(before) < day, "{zone}, {day} begins before {start}");
                    }
                    let next = DateBound::Day(day + Days::new(1)).start(zone);
                    assert_eq!(bound.end(zone), Until::Before(next));
                }
            }
        }
        assert!(found > 10_000, "{found}");
    }
}
