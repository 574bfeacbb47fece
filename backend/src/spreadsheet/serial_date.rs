//! Dates as a workbook stores them: as a number of days.

use chrono::{
    Datelike as _, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, SecondsFormat, TimeDelta,
    TimeZone as _,
};
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

/// How precise the times in a workbook are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// As spreadsheets show and calculate them.
    Milliseconds,
    /// As our exports write them.
    Microseconds,
}

/// The dates of a workbook.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    pub epoch: Epoch,
    /// The time zone of dates with a time.
    pub zone: Tz,
    /// Our exports are more precise than spreadsheets, and their dates without a time are midnight in the time zone.
    pub precision: Precision,
}

/// The day after the last one, 9999-12-31.
const MAX_DAYS: f64 = 2_958_466.0;

const MAX_YEAR: i32 = 9999;

/// The first day that all programs count alike, 1900-03-01.
const FIRST_COMMON_DAY: f64 = 61.0;

/// The days of [`Epoch::Year1900`] from day 0 to the start of 1970.
const DAYS_TO_1970: i64 = 25_569;

const DAY_MICROS: i64 = 86_400_000_000;

impl Precision {
    const fn micros(self) -> i64 {
        match self {
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1,
        }
    }
}

impl Dates {
    /// A day as a date, and a day with a time as a timestamp. `None` if there is no such day.
    ///
    /// Of two moments with the same local time, it is the first one. A time that the clocks skipped has no offset.
    pub fn to_text(self, days: f64) -> Option<String> {
        let at = to_date_time(days, self.epoch, self.precision)?;
        if at.time() == NaiveTime::MIN && self.precision == Precision::Milliseconds {
            return Some(at.date().to_string());
        }
        Some(match self.zone.from_local_datetime(&at) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                // RFC 3339 has no seconds in offsets.
                if moment.offset().fix().local_minus_utc() % 60 == 0 {
                    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
                } else {
                    moment.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
                }
            }
            LocalResult::None => at.to_string(),
        })
    }
}

fn to_date_time(days: f64, epoch: Epoch, precision: Precision) -> Option<NaiveDateTime> {
    if !(0.0..MAX_DAYS).contains(&days) {
        return None;
    }
    let first = match epoch {
        Epoch::Year1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        Epoch::Year1900 if days < 60.0 => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        Epoch::Year1900 if days < FIRST_COMMON_DAY => return None,
        Epoch::Year1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    #[expect(clippy::cast_precision_loss, reason = "a day has fewer microseconds than 2⁵³")]
    let steps_per_day = (DAY_MICROS / precision.micros()) as f64;
    // Day and time are rounded apart, since together they have more digits than a number.
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_DAYS")]
    let (day, steps) = (days.trunc() as i64, (days.fract() * steps_per_day).round() as i64);
    let since_first = TimeDelta::days(day) + TimeDelta::microseconds(steps * precision.micros());
    // Rounding, or the later start of 1904, can lead past the last day.
    first.and_time(NaiveTime::MIN).checked_add_signed(since_first).filter(|at| at.year() <= MAX_YEAR)
}

/// The number of days that [`Dates::to_text`] reads back as this local time, with [`Precision::Microseconds`] and
/// [`Epoch::Year1900`]. `None` if no number does.
///
/// The time is in microseconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "the comparison detects a lossy conversion")]
pub fn from_local_micros(micros: i64) -> Option<f64> {
    let day = micros.div_euclid(DAY_MICROS) + DAYS_TO_1970;
    let days = day as f64 + micros.rem_euclid(DAY_MICROS) as f64 / DAY_MICROS as f64;
    let read_back = to_date_time(days, Epoch::Year1900, Precision::Microseconds)?;
    (days >= FIRST_COMMON_DAY && read_back.and_utc().timestamp_micros() == micros).then_some(days)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz::{Africa__Monrovia, Europe__Madrid, UTC};
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Dates = Dates { epoch: Epoch::Year1900, zone: UTC, precision: Precision::Milliseconds };

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
            (2_958_465.999, Epoch::Year1900, Some("9999-12-31T23:58:33.600Z")),
            (2_958_465.999_999_999_5, Epoch::Year1900, None),
            (2_958_466.0, Epoch::Year1900, None),
            (2_957_003.0, Epoch::Year1904, Some("9999-12-31")),
            (2_957_004.0, Epoch::Year1904, None),
            (-1.0, Epoch::Year1900, None),
            (f64::NAN, Epoch::Year1900, None),
            (1e300, Epoch::Year1904, None),
        ] {
            assert_eq!(Dates { epoch, ..PLAIN }.to_text(days).as_deref(), expected, "{days}");
        }
    }

    #[test]
    fn times_are_those_of_the_time_zone() {
        let at = |days| Dates { zone: Europe__Madrid, ..PLAIN }.to_text(days).unwrap();
        assert_eq!(at(45_853.5), "2025-07-15T12:00:00+02:00");
        // 2025-10-26 02:30 happened twice, and 2025-03-30 02:30 never.
        assert_eq!(at(45_956.104_166_666_664), "2025-10-26T02:30:00+02:00");
        assert_eq!(at(45_746.104_166_666_664), "2025-03-30 02:30:00");
    }

    #[test]
    fn dates_of_our_exports_are_moments() {
        let exported = |days, zone| Dates { zone, precision: Precision::Microseconds, ..PLAIN }.to_text(days);
        assert_eq!(exported(45_977.0, Europe__Madrid).unwrap(), "2025-11-16T00:00:00+01:00");
        assert_eq!(exported(21_916.5, Africa__Monrovia).unwrap(), "1960-01-01T12:44:30Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in -80_000_000_000_000_000..260_000_000_000_000_000_i64) {
            let dates = Dates { precision: Precision::Microseconds, ..PLAIN };
            for micros in [micros, micros / 1_000_000 * 1_000_000] {
                let read = from_local_micros(micros).map(|days| dates.to_text(days).unwrap());
                let expected = DateTime::<Utc>::from_timestamp_micros(micros).unwrap();
                if let Some(read) = read {
                    prop_assert_eq!(DateTime::parse_from_rfc3339(&read).unwrap().to_utc(), expected);
                }
            }
        }

        #[test]
        fn no_time_after_9999_is_written(micros in 253_402_300_800_000_000..260_000_000_000_000_000_i64) {
            prop_assert_eq!(from_local_micros(micros), None);
        }

        #[test]
        fn times_of_our_days_can_be_written(micros in 0..3_400_000_000_000_000_i64) {
            prop_assert!(from_local_micros(micros).is_some());
        }
    }
}
