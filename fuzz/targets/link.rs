//! The query string of a signed link: unsigned links are refused, and valid links stay the same when they are
//! signed again.

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
    Keys::new(&[SecretString::from("the application key of the fuzzers")]).expect("the key is long enough")
});

fuzz_target!(|query: &str| {
    assert!(Link::verify(&KEYS, query, DateTime::UNIX_EPOCH).is_err(), "an unsigned link was accepted: {query}");
    // The rest of the link is parsed only if the signature is valid, so this signs it.
    let (key, _) = KEYS.sign(Purpose::Links, &[]);
    let signed = format!("{query}&key={key}");
    let (_, mac) = KEYS.sign(Purpose::Links, signed.as_bytes());
    let signed = format!("{signed}&signature={}", URL_SAFE_NO_PAD.encode(mac));
    if let Ok(link) = Link::verify(&KEYS, &signed, DateTime::UNIX_EPOCH) {
        let resigned = link.sign(&KEYS);
        let (_, query) = resigned.split_once('?').expect("a link has a query string");
        assert_eq!(Link::verify(&KEYS, query, DateTime::UNIX_EPOCH), Ok(link), "{resigned}");
    }
});
