//! Recent timestamps in the user's language and a time zone, such as `22 nov, 09:02` and `hace 58 min`.

use domain::Locale;
use js_sys::{Array, Date, Function, Intl};

use super::format::{call, date_format, options};

/// Formats timestamps for one language and time zone.
pub struct TimeFormat {
    minute: Option<Function>,
    ago: Intl::RelativeTimeFormat,
}

impl TimeFormat {
    /// A formatter for a language and an IANA time zone.
    pub fn new(locale: Locale, timezone: &str) -> Self {
        let parts = [
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("hourCycle", "h23"),
        ];
        let short = options(&[("numeric", "auto"), ("style", "short")]);
        Self {
            minute: date_format(locale.tag(), timezone, &parts),
            ago: Intl::RelativeTimeFormat::new(&Array::of1(&locale.tag().into()), &short),
        }
    }

    /// The date and time of an RFC 3339 timestamp, to the minute. An invalid timestamp is returned unchanged.
    pub fn minute(&self, rfc3339: &str) -> String {
        let date = Date::new(&rfc3339.into());
        let formatted = self.minute.as_ref().filter(|_| !date.get_time().is_nan());
        formatted.and_then(|format| call(format, &date)).unwrap_or_else(|| rfc3339.to_owned())
    }

    /// A number of seconds as a relative time: `58 min. ago`.
    pub fn ago(&self, seconds: f64) -> String {
        let (count, unit) = largest_unit(seconds);
        self.ago.format(-count, unit).into()
    }
}

/// A duration in the largest unit in which it is at least 1. Less than a minute counts as 0 seconds.
fn largest_unit(seconds: f64) -> (f64, &'static str) {
    let units = [(86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute")];
    let fits = units.into_iter().find(|(length, _)| seconds >= *length);
    fits.map_or((0.0, "second"), |(length, unit)| ((seconds / length).floor(), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_given_in_the_largest_unit_that_fits() {
        assert_eq!(largest_unit(-3.0), (0.0, "second"));
        assert_eq!(largest_unit(59.0), (0.0, "second"));
        assert_eq!(largest_unit(3_599.0), (59.0, "minute"));
        assert_eq!(largest_unit(7_300.0), (2.0, "hour"));
        assert_eq!(largest_unit(200_000.0), (2.0, "day"));
    }
}
