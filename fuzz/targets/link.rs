//! The query string of a signed link: what is refused is refused, and what is good is the same when it is signed anew.

#![no_main]

use std::sync::LazyLock;

use backend::auth::keys::{Keys, Purpose};
use backend::export::link::Link;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    Keys::new(&[SecretString::from("the application key of the fuzzers")]).expect("it is long")
});

fuzz_target!(|query: &str| {
    assert!(Link::verify(&KEYS, query, DateTime::UNIX_EPOCH).is_err(), "nobody signed {query}");
    // What stands behind the signature is read only where it is ours.
    let (key, _) = KEYS.sign(Purpose::Links, &[]);
    let signed = format!("{query}&key={key}");
    let (_, mac) = KEYS.sign(Purpose::Links, signed.as_bytes());
    let signed = format!("{signed}&signature={}", URL_SAFE_NO_PAD.encode(mac));
    if let Ok(link) = Link::verify(&KEYS, &signed, DateTime::UNIX_EPOCH) {
        let anew = link.sign(&KEYS);
        let (_, query) = anew.split_once('?').expect("a link has a query string");
        assert_eq!(Link::verify(&KEYS, query, DateTime::UNIX_EPOCH), Ok(link), "{anew}");
    }
});
