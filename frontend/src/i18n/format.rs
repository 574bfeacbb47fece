//! Numbers, timestamps and sizes in the user's language and time zone, formatted with the browser's `Intl`.

use chrono::NaiveDate;
use domain::Locale;
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Formats values for one language and time zone.
pub struct Format {
    locale: Locale,
    number: Function,
    timestamp: Option<Function>,
}

impl Format {
    /// A formatter for a language and an IANA time zone.
    pub fn new(locale: Locale, timezone: &str) -> Self {
        let number = Intl::NumberFormat::new(
            &Array::of1(&locale.tag().into()),
            &options(&[("useGrouping", "always"), ("maximumFractionDigits", "2")]),
        );
        let timestamp = date_format(
            locale.tag(),
            timezone,
            &[
                ("day", "numeric"),
                ("month", "short"),
                ("year", "numeric"),
                ("hour", "2-digit"),
                ("minute", "2-digit"),
                ("second", "2-digit"),
                ("hourCycle", "h23"),
            ],
        );
        Self { locale, number: number.format(), timestamp }
    }

    /// A number with grouped digits: `12.430` or `12,430`.
    pub fn number(&self, value: f64) -> String {
        call(&self.number, &value.into()).unwrap_or_else(|| value.to_string())
    }

    /// A count with grouped digits.
    pub fn count(&self, value: u64) -> String {
        call(&self.number, &js_sys::BigInt::from(value).into()).unwrap_or_else(|| value.to_string())
    }

    /// An RFC 3339 timestamp in the time zone, or unchanged if it is invalid.
    pub fn timestamp(&self, rfc3339: &str) -> String {
        let date = Date::new(&rfc3339.into());
        if date.get_time().is_nan() {
            return rfc3339.to_owned();
        }
        self.timestamp.as_ref().and_then(|format| call(format, &date)).unwrap_or_else(|| rfc3339.to_owned())
    }

    /// A size in bytes: `2,1 MB`.
    pub fn bytes(&self, bytes: f64) -> String {
        let (value, unit) = scaled_bytes(bytes);
        format!("{} {unit}", self.number(value))
    }

    /// A duration in milliseconds: `340 ms`, `3,4 s` or `7 min 5 s`.
    pub fn duration(&self, milliseconds: f64) -> String {
        if milliseconds < 1_000.0 {
            format!("{} ms", self.number(milliseconds))
        } else if milliseconds < 120_000.0 {
            format!("{} s", self.number((milliseconds / 100.0).round() / 10.0))
        } else {
            let seconds = (milliseconds / 1_000.0).round();
            format!("{} min {} s", self.number((seconds / 60.0).floor()), seconds % 60.0)
        }
    }

    /// The language.
    pub fn locale(&self) -> Locale {
        self.locale
    }
}

/// Today's date in a time zone.
pub fn today(timezone: &str) -> NaiveDate {
    let parts = [("year", "numeric"), ("month", "2-digit"), ("day", "2-digit")];
    let format = date_format("en-CA", timezone, &parts);
    let text = format.and_then(|format| call(&format, &Date::new_0()));
    let utc = || Date::new_0().to_iso_string().as_string().map(|text| text.chars().take(10).collect());
    text.or_else(utc).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Bytes in the largest unit in which the value is at least 1, rounded to one decimal place.
fn scaled_bytes(bytes: f64) -> (f64, &'static str) {
    let mut value = bytes;
    for unit in ["B", "kB", "MB"] {
        if value < 1000.0 {
            return (round_to_tenth(value), unit);
        }
        value /= 1000.0;
    }
    (round_to_tenth(value), "GB")
}

fn round_to_tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The IANA names of all time zones that the browser supports.
pub fn timezones() -> Vec<String> {
    // Not every browser can list them. Without the list, the field has no suggestions.
    let Ok(list) = Reflect::get(&js_sys::global(), &"Intl".into()) else { return Vec::new() };
    let Ok(function) = Reflect::get(&list, &"supportedValuesOf".into()) else { return Vec::new() };
    let Some(function) = function.dyn_ref::<Function>() else { return Vec::new() };
    let Ok(names) = function.call1(&list, &"timeZone".into()) else { return Vec::new() };
    let names = Array::from(&names).into_iter().filter_map(|name| name.as_string());
    std::iter::once("UTC".to_owned()).chain(names.filter(|name| name != "UTC")).collect()
}

/// The `format` function of an `Intl.DateTimeFormat`. `None` if the browser does not support the time zone.
pub fn date_format(locale: &str, timezone: &str, parts: &[(&str, &str)]) -> Option<Function> {
    let options = options(parts);
    Reflect::set(&options, &"timeZone".into(), &timezone.into()).ok()?;
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let constructor = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into::<Function>().ok()?;
    // `Reflect` returns an `Err` for an unsupported time zone, where the typed constructor would panic.
    let format = Reflect::construct(&constructor, &Array::of2(&locale.into(), &options)).ok()?;
    Some(format.unchecked_into::<Intl::DateTimeFormat>().format())
}

/// A JavaScript object with these properties.
pub fn options(parts: &[(&str, &str)]) -> Object {
    let options = Object::new();
    for (name, value) in parts {
        // Setting a property of a new object cannot fail.
        drop(Reflect::set(&options, &(*name).into(), &(*value).into()));
    }
    options
}

/// Calls a `format` function.
pub fn call(function: &Function, value: &JsValue) -> Option<String> {
    function.call1(&JsValue::UNDEFINED, value).ok()?.as_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_formatted_in_the_largest_unit_that_fits() {
        assert_eq!(scaled_bytes(999.0), (999.0, "B"));
        assert_eq!(scaled_bytes(2_130_000.0), (2.1, "MB"));
        assert_eq!(scaled_bytes(5_000_000_000_000.0), (5000.0, "GB"));
    }
}
