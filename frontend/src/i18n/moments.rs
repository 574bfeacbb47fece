//! Moments near now, as a reader's language and a time zone write them: `22 nov, 09:02` and `hace 58 min`.

use domain::Locale;
use js_sys::{Array, Date, Function, Intl};

use super::format::{call, date_format, options};

/// Writes moments for one reader.
pub struct Moments {
    minute: Option<Function>,
    ago: Intl::RelativeTimeFormat,
}

impl Moments {
    /// For a reader of this language in this time zone.
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

    /// The minute of a moment that is given as RFC 3339 text.
    pub fn minute(&self, rfc3339: &str) -> String {
        let date = Date::new(&rfc3339.into());
        let written = self.minute.as_ref().filter(|_| !date.get_time().is_nan());
        written.and_then(|format| call(format, &date)).unwrap_or_else(|| rfc3339.to_owned())
    }

    /// How long ago something was.
    pub fn ago(&self, seconds: f64) -> String {
        let (count, unit) = largest_unit(seconds);
        self.ago.format(-count, unit).into()
    }
}

/// A span in the largest unit that leaves at least one of it; less than a minute is nothing.
fn largest_unit(seconds: f64) -> (f64, &'static str) {
    let units = [(86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute")];
    let fits = units.into_iter().find(|(length, _)| seconds >= *length);
    fits.map_or((0.0, "second"), |(length, unit)| ((seconds / length).floor(), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_the_largest_unit_that_fits() {
        assert_eq!(largest_unit(-3.0), (0.0, "second"));
        assert_eq!(largest_unit(59.0), (0.0, "second"));
        assert_eq!(largest_unit(3_599.0), (59.0, "minute"));
        assert_eq!(largest_unit(7_300.0), (2.0, "hour"));
        assert_eq!(largest_unit(200_000.0), (2.0, "day"));
    }
}
