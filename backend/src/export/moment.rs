//! Moments as RFC 3339 text, fast: a million of them a second and more.

use chrono::{DateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;

/// From 1970-01-01 to 2000-01-01, where PostgreSQL's binary timestamps begin, in seconds.
const POSTGRES_EPOCH: i64 = 946_684_800;
/// Since 1973 every zone has changed its offset at whole quarters of an hour.
const QUARTER_HOURS_SINCE: i64 = 94_694_400;
const QUARTER_HOUR: i64 = 900;

/// A moment as PostgreSQL's binary format has it: microseconds since 2000.
pub fn postgres_micros(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros() - POSTGRES_EPOCH * 1_000_000
}

/// Writes moments in one time zone; remembers the last offset, since neighbours share it.
pub struct Moments {
    zone: Tz,
    quarter: i64,
    offset: i64,
}

impl Moments {
    /// Writes in this zone.
    pub fn new(zone: Tz) -> Self {
        Self { zone, quarter: i64::MIN, offset: 0 }
    }

    /// Appends a `timestamptz` in PostgreSQL's binary format (microseconds since 2000), to the second or, where it has
    /// a fraction, to the milli- or microsecond. UTC is `Z`.
    pub fn write(&mut self, out: &mut Vec<u8>, postgres_micros: i64) {
        let seconds = postgres_micros.div_euclid(1_000_000) + POSTGRES_EPOCH;
        let micros = postgres_micros.rem_euclid(1_000_000);
        let offset = self.offset_at(seconds);
        let local = seconds + offset;
        let (year, month, day) = civil(local.div_euclid(86_400));
        let second_of_day = local.rem_euclid(86_400);
        digits::<4>(out, year);
        out.push(b'-');
        digits::<2>(out, month);
        out.push(b'-');
        digits::<2>(out, day);
        out.push(b'T');
        digits::<2>(out, second_of_day / 3600);
        out.push(b':');
        digits::<2>(out, second_of_day / 60 % 60);
        out.push(b':');
        digits::<2>(out, second_of_day % 60);
        if micros != 0 {
            out.push(b'.');
            if micros % 1000 == 0 { digits::<3>(out, micros / 1000) } else { digits::<6>(out, micros) }
        }
        if self.zone == Tz::UTC {
            out.push(b'Z');
        } else {
            out.push(if offset < 0 { b'-' } else { b'+' });
            let minutes = offset.abs() / 60;
            digits::<2>(out, minutes / 60);
            out.push(b':');
            digits::<2>(out, minutes % 60);
        }
    }

    fn offset_at(&mut self, seconds: i64) -> i64 {
        if self.zone == Tz::UTC {
            return 0;
        }
        let quarter = seconds.div_euclid(QUARTER_HOUR);
        if quarter != self.quarter || seconds < QUARTER_HOURS_SINCE {
            let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
            let exact = self.zone.offset_from_utc_datetime(&moment).fix().local_minus_utc();
            // RFC 3339 has no seconds in offsets; only local times of the 19th century had.
            self.offset = i64::from(exact - exact % 60);
            self.quarter = quarter;
        }
        self.offset
    }
}

/// Year, month and day of the Gregorian calendar from days since 1970-01-01, by counting whole eras of 400 years that
/// begin on 1 March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Appends a number from 0 on as exactly `N` digits.
fn digits<const N: usize>(out: &mut Vec<u8>, mut number: i64) {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    fn written(zone: Tz, micros_since_1970: i64) -> String {
        let mut out = Vec::new();
        Moments::new(zone).write(&mut out, micros_since_1970 - POSTGRES_EPOCH * 1_000_000);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_moment_has_as_many_digits_as_it_needs() {
        assert_eq!(written(Tz::UTC, 1_763_286_600_000_000), "2025-11-16T09:50:00Z");
        assert_eq!(written(Tz::UTC, 1_763_286_600_120_000), "2025-11-16T09:50:00.120Z");
        assert_eq!(written(Tz::America__Bogota, 1_763_286_600_000_001), "2025-11-16T04:50:00.000001-05:00");
    }

    proptest! {
        #[test]
        fn every_moment_is_as_chrono_writes_it(seconds in -2_000_000_000i64..8_000_000_000) {
            for zone in [Tz::Europe__Madrid, Tz::Asia__Kolkata, Tz::America__St_Johns] {
                let moment = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone);
                if moment.offset().fix().local_minus_utc() % 60 == 0 {
                    let expected = moment.to_rfc3339_opts(SecondsFormat::Secs, false);
                    prop_assert_eq!(written(zone, seconds * 1_000_000), expected);
                }
            }
        }
    }
}
