//! Serializes a body as text if it is UTF-8, and as base64 otherwise.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let body = match std::str::from_utf8(bytes) {
        Ok(text) => Body::Text(text.to_owned()),
        Err(_) => Body::Base64(BASE64_STANDARD.encode(bytes)),
    };
    body.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    match Body::deserialize(deserializer)? {
        Body::Text(text) => Ok(text.into_bytes()),
        Body::Base64(text) => BASE64_STANDARD.decode(text).map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    #[derive(super::Serialize, super::Deserialize)]
    struct Wrapper(#[serde(with = "super")] Vec<u8>);

    #[test]
    fn bodies_survive_a_round_trip() {
        assert_eq!(to_value(Wrapper(b"{}".to_vec())).unwrap(), json!({"text": "{}"}));
        let gzip = to_value(Wrapper(vec![0x1f, 0x8b])).unwrap();
        assert_eq!(gzip, json!({"base64": "H4s="}));
        assert_eq!(serde_json::from_value::<Wrapper>(gzip).unwrap().0, [0x1f, 0x8b]);
    }
}
