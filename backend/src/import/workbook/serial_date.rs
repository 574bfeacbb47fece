//! Dates as a workbook stores them: as a number of days.

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

/// How a workbook counts days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epoch {
    /// Day 1 is 1900-01-01. As in Lotus 1-2-3, there is a day 60, 1900-02-29, that never was.
    #[default]
    Year1900,
    /// Day 0 is 1904-01-01, as in old versions for the Mac.
    Year1904,
}

/// The milliseconds of a day. Spreadsheets are no more precise.
const DAY_MILLIS: f64 = 86_400_000.0;

/// The last day, 9999-12-31, and some more.
const MAX_DAYS: f64 = 3_000_000.0;

/// A day as a date, and a day with a time as a timestamp in this time zone. `None` if there is no such day.
///
/// Of two moments with the same local time, it is the first one. A time that the clocks skipped has no offset.
pub fn to_text(days: f64, epoch: Epoch, zone: Tz) -> Option<String> {
    let at = to_date_time(days, epoch)?;
    if at.time() == NaiveTime::MIN {
        return Some(at.date().to_string());
    }
    Some(match zone.from_local_datetime(&at) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
            moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        }
        LocalResult::None => at.to_string(),
    })
}

fn to_date_time(days: f64, epoch: Epoch) -> Option<NaiveDateTime> {
    if !(0.0..MAX_DAYS).contains(&days) {
        return None;
    }
    let first = match epoch {
        Epoch::Year1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        Epoch::Year1900 if days < 60.0 => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        Epoch::Year1900 if days < 61.0 => return None,
        Epoch::Year1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_DAYS")]
    let millis = (days * DAY_MILLIS).round() as i64;
    first.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::milliseconds(millis))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz::{Europe__Madrid, UTC};

    use super::*;

    #[test]
    fn days_are_counted_as_excel_does() {
        for (days, epoch, expected) in [
            (1.0, Epoch::Year1900, Some("1900-01-01")),
            (59.0, Epoch::Year1900, Some("1900-02-28")),
            (60.0, Epoch::Year1900, None),
            (61.0, Epoch::Year1900, Some("1900-03-01")),
            (45977.0, Epoch::Year1900, Some("2025-11-16")),
            (44515.0, Epoch::Year1904, Some("2025-11-16")),
            (45977.375, Epoch::Year1900, Some("2025-11-16T09:00:00Z")),
            (45_977.430_555_555_55, Epoch::Year1900, Some("2025-11-16T10:20:00Z")),
            (45_977.999_999_999_99, Epoch::Year1900, Some("2025-11-17")),
            (-1.0, Epoch::Year1900, None),
            (f64::NAN, Epoch::Year1900, None),
            (1e300, Epoch::Year1904, None),
        ] {
            assert_eq!(to_text(days, epoch, UTC).as_deref(), expected, "{days}");
        }
    }

    #[test]
    fn times_are_those_of_the_time_zone() {
        let at = |days| to_text(days, Epoch::Year1900, Europe__Madrid).unwrap();
        assert_eq!(at(45_853.5), "2025-07-15T12:00:00+02:00");
        // 2025-10-26 02:30 happened twice, and 2025-03-30 02:30 never.
        assert_eq!(at(45_956.104_166_666_664), "2025-10-26T02:30:00+02:00");
        assert_eq!(at(45_746.104_166_666_664), "2025-03-30 02:30:00");
    }
}
