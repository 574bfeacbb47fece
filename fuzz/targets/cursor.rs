//! A cursor from a client: every cursor that decodes stays the same after encoding and decoding it again.

#![no_main]

use backend::source::Cursor;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let texts = [String::from_utf8_lossy(bytes).into_owned(), URL_SAFE_NO_PAD.encode(bytes)];
    for text in texts {
        if let Some(cursor) = Cursor::decode(&text) {
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor), "{text}");
        }
    }
});
