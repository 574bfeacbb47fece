//! The kinds of values that settings accept: how each is parsed and described.

use std::ops::RangeInclusive;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

type Parse<T> = dyn Fn(&str) -> Option<T>;

/// How the text of a setting is parsed.
pub struct Kind<T> {
    /// The accepted values, as the end of a sentence.
    pub(super) accepts: String,
    parse: Box<Parse<T>>,
}

impl<T: 'static> Kind<T> {
    /// A kind that accepts what `parse` parses.
    pub fn new(accepts: impl Into<String>, parse: impl Fn(&str) -> Option<T> + 'static) -> Self {
        Self { accepts: accepts.into(), parse: Box::new(parse) }
    }

    /// Parses a text. Returns `None` if it is not accepted.
    pub(super) fn parse(&self, text: &str) -> Option<T> {
        (self.parse)(text)
    }

    /// A comma-separated list of such values.
    pub fn list(self) -> Kind<Vec<T>> {
        let accepts = format!("{}; separate several with commas", self.accepts);
        Kind::new(accepts, move |text| text.split(',').map(|part| self.parse(part.trim())).collect())
    }
}

/// Any text.
pub fn text() -> Kind<String> {
    Kind::new("any text", |text| Some(text.to_owned()))
}

/// Text that must never be displayed.
pub fn secret() -> Kind<SecretString> {
    secret_with_min_length(1)
}

/// A secret of at least this many bytes.
pub fn secret_with_min_length(bytes: usize) -> Kind<SecretString> {
    let accepts =
        if bytes == 1 { String::from("any text") } else { format!("at least {bytes} bytes of text") };
    Kind::new(accepts, move |text| (text.len() >= bytes).then(|| SecretString::from(text)))
}

/// A boolean.
pub fn boolean() -> Kind<bool> {
    Kind::new("true or false", |text| match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    })
}

/// A whole number in this range.
pub fn number<T: TryFrom<u64> + 'static>(range: RangeInclusive<u64>) -> Kind<T> {
    Kind::new(format!("a whole number from {} to {}", range.start(), range.end()), move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number))?;
        T::try_from(number).ok()
    })
}

/// A number of minutes in this range.
pub fn minutes(range: RangeInclusive<u64>) -> Kind<Duration> {
    let Kind { accepts, parse } = number::<u64>(range);
    Kind::new(accepts, move |text| parse(text).map(|minutes| Duration::from_secs(minutes * 60)))
}

/// A number of seconds in this range.
pub fn seconds(range: RangeInclusive<u64>) -> Kind<Duration> {
    let Kind { accepts, parse } = number::<u64>(range);
    Kind::new(accepts, move |text| parse(text).map(Duration::from_secs))
}

/// One of these options.
pub fn one_of<T: Copy + 'static>(options: &'static [(&'static str, T)]) -> Kind<T> {
    let accepts = options.iter().map(|(option, _)| *option).collect::<Vec<_>>().join(" or ");
    Kind::new(accepts, move |text| {
        options.iter().find(|(option, _)| *option == text).map(|(_, value)| *value)
    })
}

/// A URL of a web site or service.
pub fn web_url() -> Kind<Url> {
    Kind::new("a URL that starts with https:// or http://", |text| {
        Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
    })
}

/// A URL of a service that receives secrets: https, or http on this machine.
pub fn secure_url() -> Kind<Url> {
    Kind::new(
        "a URL that starts with https:// (or http:// for this machine: localhost, 127.0.0.1, [::1])",
        |text| {
            Url::parse(text).ok().filter(|url| match url.scheme() {
                "https" => url.has_host(),
                "http" => is_loopback(url),
                _ => false,
            })
        },
    )
}

pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_accepted_only_for_this_machine() {
        let kind = secure_url();
        for accepted in
            ["https://api.mixpanel.com", "http://127.0.0.1:9000", "http://[::1]:9000/x", "http://localhost"]
        {
            assert!(kind.parse(accepted).is_some(), "{accepted}");
        }
        for rejected in [
            "http://api.mixpanel.com",
            "http://127.0.0.1.example.org",
            "http://[::ffff:10.0.0.1]",
            "ftp://localhost",
            "localhost",
        ] {
            assert!(kind.parse(rejected).is_none(), "{rejected}");
        }
    }

    #[test]
    fn numbers_outside_the_range_are_rejected() {
        let kind = number::<u32>(1..=10);
        assert_eq!(
            ["0", "1", "10", "11", "-1", "1.5", "x"].map(|text| kind.parse(text)),
            [None, Some(1), Some(10), None, None, None, None]
        );
    }
}
