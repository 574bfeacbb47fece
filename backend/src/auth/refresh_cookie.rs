//! The cookie with the refresh token. Scripts and other sites cannot access it, and it is sent to GraphQL
//! only.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use secrecy::{ExposeSecret, SecretString};

use super::session;

/// The cookie's name.
pub const NAME: &str = "dph_refresh";

/// Whether the browser may send the cookie over plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// The hub's URL is `https`.
    Encrypted,
    /// The hub's URL is `http`, as during development.
    Plain,
}

/// The `Set-Cookie` value that stores a token.
pub fn store(token: &SecretString, transport: Transport) -> String {
    cookie(token.expose_secret(), session::LIFETIME.num_seconds(), transport)
}

/// The `Set-Cookie` value that deletes the cookie.
pub fn clear(transport: Transport) -> String {
    cookie("", 0, transport)
}

/// The token in a request's cookies.
pub fn read(headers: &HeaderMap) -> Option<SecretString> {
    let cookies = CookieJar::from_headers(headers);
    cookies.get(NAME).map(|cookie| cookie.value().into())
}

fn cookie(value: &str, seconds: i64, transport: Transport) -> String {
    let secure = match transport {
        Transport::Encrypted => "; Secure",
        Transport::Plain => "",
    };
    format!("{NAME}={value}; Path=/graphql; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    #[test]
    fn the_cookie_is_strict_and_can_be_read_back() {
        let stored = store(&"secret".into(), Transport::Encrypted);
        assert_eq!(
            stored,
            "dph_refresh=secret; Path=/graphql; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            clear(Transport::Plain),
            "dph_refresh=; Path=/graphql; Max-Age=0; HttpOnly; SameSite=Strict"
        );
        let sent = HeaderMap::from_iter([(COOKIE, "theme=dark; dph_refresh=secret".parse().unwrap())]);
        assert_eq!(read(&sent).unwrap().expose_secret(), "secret");
        assert!(read(&HeaderMap::new()).is_none());
    }
}
