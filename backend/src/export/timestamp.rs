//! Formats timestamps as RFC 3339, at more than a million per second.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::zone_offsets::ZoneOffsets;

/// The epoch of PostgreSQL's binary timestamps, 2000-01-01, as a Unix time in seconds.
const POSTGRES_EPOCH: i64 = 946_684_800;

/// A timestamp in PostgreSQL's binary format: microseconds since 2000.
pub fn postgres_micros(timestamp: DateTime<Utc>) -> i64 {
    timestamp.timestamp_micros() - POSTGRES_EPOCH * 1_000_000
}

/// The Unix time in microseconds of a timestamp in PostgreSQL's binary format.
pub const fn unix_micros(postgres_micros: i64) -> i64 {
    postgres_micros + POSTGRES_EPOCH * 1_000_000
}

/// Writes timestamps in one time zone.
pub struct TimestampWriter(ZoneOffsets);

impl TimestampWriter {
    /// Creates a writer for this zone.
    pub fn new(zone: Tz) -> Self {
        Self(ZoneOffsets::new(zone))
    }

    /// Appends a `timestamptz` in PostgreSQL's binary format (microseconds since 2000). Fractions of a second
    /// are written as milliseconds or microseconds, as needed. UTC is `Z`.
    pub fn write(&mut self, out: &mut Vec<u8>, postgres_micros: i64) {
        let seconds = postgres_micros.div_euclid(1_000_000) + POSTGRES_EPOCH;
        let micros = postgres_micros.rem_euclid(1_000_000);
        let offset = self.utc_offset_at(seconds);
        let local = seconds + offset;
        let (year, month, day) = civil_from_days(local.div_euclid(86_400));
        let second_of_day = local.rem_euclid(86_400);
        write_digits::<4>(out, year);
        out.push(b'-');
        write_digits::<2>(out, month);
        out.push(b'-');
        write_digits::<2>(out, day);
        out.push(b'T');
        write_digits::<2>(out, second_of_day / 3600);
        out.push(b':');
        write_digits::<2>(out, second_of_day / 60 % 60);
        out.push(b':');
        write_digits::<2>(out, second_of_day % 60);
        if micros != 0 {
            out.push(b'.');
            if micros % 1000 == 0 {
                write_digits::<3>(out, micros / 1000)
            } else {
                write_digits::<6>(out, micros)
            }
        }
        if self.0.zone() == Tz::UTC {
            out.push(b'Z');
        } else {
            out.push(if offset < 0 { b'-' } else { b'+' });
            let minutes = offset.abs() / 60;
            write_digits::<2>(out, minutes / 60);
            out.push(b':');
            write_digits::<2>(out, minutes % 60);
        }
    }

    /// The local time in microseconds since 1970, if no other moment has the same.
    pub fn unique_local_micros(&mut self, postgres_micros: i64) -> Option<i64> {
        let micros = unix_micros(postgres_micros);
        let seconds = micros.div_euclid(1_000_000);
        self.0.is_local_time_unique(seconds).then(|| micros + self.0.at(seconds) * 1_000_000)
    }

    fn utc_offset_at(&mut self, seconds: i64) -> i64 {
        if self.0.zone() == Tz::UTC {
            return 0;
        }
        let exact = self.0.at(seconds);
        // RFC 3339 offsets have no seconds, but local mean times of the 19th century did.
        exact - exact % 60
    }
}

/// The year, month and day of the Gregorian calendar for a number of days since 1970-01-01. Counts eras of
/// 400 years that begin on 1 March, so that the leap day comes last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
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

/// Appends a non-negative number as exactly `N` digits.
fn write_digits<const N: usize>(out: &mut Vec<u8>, mut number: i64) {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use chrono::{Offset as _, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    fn written(zone: Tz, micros_since_1970: i64) -> String {
        let mut out = Vec::new();
        TimestampWriter::new(zone).write(&mut out, micros_since_1970 - POSTGRES_EPOCH * 1_000_000);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_fraction_has_three_or_six_digits_if_any() {
        assert_eq!(written(Tz::UTC, 1_763_286_600_000_000), "2025-11-16T09:50:00Z");
        assert_eq!(written(Tz::UTC, 1_763_286_600_120_000), "2025-11-16T09:50:00.120Z");
        assert_eq!(written(Tz::America__Bogota, 1_763_286_600_000_001), "2025-11-16T04:50:00.000001-05:00");
    }

    proptest! {
        #[test]
        fn timestamps_are_written_as_chrono_writes_them(seconds in -2_000_000_000i64..8_000_000_000) {
            for zone in [Tz::Europe__Madrid, Tz::Asia__Kolkata, Tz::America__St_Johns] {
                let timestamp = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone);
                if timestamp.offset().fix().local_minus_utc() % 60 == 0 {
                    let expected = timestamp.to_rfc3339_opts(SecondsFormat::Secs, false);
                    prop_assert_eq!(written(zone, seconds * 1_000_000), expected);
                }
            }
        }
    }
}
