//! Genuine and forged platform tokens.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use super::*;

const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
const SECRET: &[u8] = b"a secret that both sides know of";

/// A key pair made for these tests, and its id in the key set.
struct KeyPair {
    id: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

fn key_pairs() -> [KeyPair; 3] {
    type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
    let kinds: [(&str, Algorithm, Read); 3] = [
        ("rs256", Algorithm::RS256, EncodingKey::from_rsa_pem),
        ("es256", Algorithm::ES256, EncodingKey::from_ec_pem),
        ("eddsa", Algorithm::EdDSA, EncodingKey::from_ed_pem),
    ];
    kinds.map(|(id, algorithm, read)| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/keys");
        let pem = fs::read(folder.join(format!("platform-{id}.pem"))).unwrap();
        KeyPair { id, algorithm, private: read(&pem).unwrap() }
    })
}

fn public(pair: &KeyPair) -> Value {
    let mut jwk = Jwk::from_encoding_key(&pair.private, pair.algorithm).unwrap();
    jwk.common.key_id = Some(pair.id.to_owned());
    serde_json::to_value(jwk).unwrap()
}

fn write(file: &NamedTempFile, keys: &[Value]) {
    fs::write(file, json!({ "keys": keys }).to_string()).unwrap();
}

fn config() -> config::auth::Auth {
    let mut config = config::Config::for_database("postgres:///", &"k".repeat(32)).auth;
    config.issuer = Some("https://academy.example".into());
    config.audience = Some("hub".into());
    config
}

/// Tokens signed by the keys in a file, and the file.
fn with_key_file(keys: &[Value]) -> (PlatformTokens, NamedTempFile) {
    let file = NamedTempFile::new().unwrap();
    write(&file, keys);
    let mut config = config();
    config.jwks_file = Some(file.path().to_owned());
    (PlatformTokens::new(&config).unwrap(), file)
}

fn with_shared_secret() -> PlatformTokens {
    let mut config = config();
    config.hs256_secret = Some(String::from_utf8(SECRET.to_vec()).unwrap().into());
    PlatformTokens::new(&config).unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://academy.example", "aud": "hub", "sub": "7", "exp": NOW.timestamp() + 60})
}

fn token(algorithm: Algorithm, key_id: &str, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn signed_with_secret(claims: &Value) -> String {
    token(Algorithm::HS256, "any", &EncodingKey::from_secret(SECRET), claims)
}

#[tokio::test]
async fn each_type_of_key_verifies_only_its_own_tokens() {
    let pairs = key_pairs();
    let (platform, _file) = with_key_file(&pairs.each_ref().map(public));
    for KeyPair { id, algorithm, private } in &pairs {
        let genuine = token(*algorithm, id, private, &claims());
        assert_eq!(platform.verify(&genuine, NOW).await, Some(7), "{id}");
        assert_eq!(with_shared_secret().verify(&genuine, NOW).await, None, "{id}");
    }
    let [rsa, ec, _] = &pairs;
    let wrong_id = token(rsa.algorithm, ec.id, &rsa.private, &claims());
    assert_eq!(platform.verify(&wrong_id, NOW).await, None);
    let traversing = token(rsa.algorithm, "../../keys/rs256", &rsa.private, &claims());
    assert_eq!(platform.verify(&traversing, NOW).await, None);
}

#[tokio::test]
async fn a_public_key_cannot_be_used_as_a_shared_secret() {
    let pairs = key_pairs();
    let keys = pairs.each_ref().map(public);
    let (platform, _file) = with_key_file(&keys);
    for (pair, public) in pairs.iter().zip(&keys) {
        let published = [public.to_string(), public["n"].to_string(), public["x"].to_string(), String::new()];
        for secret in published {
            let key = EncodingKey::from_secret(secret.as_bytes());
            for algorithm in [Algorithm::HS256, Algorithm::HS384] {
                let forged = token(algorithm, pair.id, &key, &claims());
                assert_eq!(platform.verify(&forged, NOW).await, None, "{}", pair.id);
            }
        }
    }
}

#[tokio::test]
async fn keys_of_other_types_and_uses_are_ignored() {
    let [rsa, ec, ed] = key_pairs();
    let altered = |pair: &KeyPair, member: &str, value: &str| {
        let mut key = public(pair);
        key[member] = json!(value);
        key
    };
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": "YSBzZWNyZXQgdGhhdCBib3RoIHNpZGVzIGtub3cgb2Y"});
    let (platform, _file) = with_key_file(&[
        altered(&rsa, "alg", "RS512"),
        altered(&ec, "use", "enc"),
        json!({"kty": "RSA", "kid": "tiny", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "quantum", "kid": "later"}),
        json!("nonsense"),
        symmetric,
        public(&ed),
    ]);
    let verify = async |pair: &KeyPair| {
        platform.verify(&token(pair.algorithm, pair.id, &pair.private, &claims()), NOW).await
    };
    assert_eq!(verify(&rsa).await, None);
    assert_eq!(verify(&ec).await, None);
    assert_eq!(verify(&ed).await, Some(7));
    let symmetric = token(Algorithm::HS256, "oct", &EncodingKey::from_secret(SECRET), &claims());
    assert_eq!(platform.verify(&symmetric, NOW).await, None);
}

#[tokio::test]
async fn an_unknown_key_id_reloads_the_keys_at_most_twice_a_minute() {
    let [rsa, ec, _] = key_pairs();
    let (platform, file) = with_key_file(&[public(&rsa)]);
    let verify = async |pair: &KeyPair, after: i64| {
        let mut claims = claims();
        claims["exp"] = json!(NOW.timestamp() + 10 * 86_400);
        let token = token(pair.algorithm, pair.id, &pair.private, &claims);
        platform.verify(&token, NOW + TimeDelta::seconds(after)).await
    };
    assert_eq!(verify(&rsa, 0).await, Some(7));
    write(&file, &[public(&ec)]);
    assert_eq!(verify(&ec, 29).await, None);
    assert_eq!(verify(&rsa, 29).await, Some(7), "cached keys are used until the next read");
    assert_eq!(verify(&ec, 30).await, Some(7));
    assert_eq!(verify(&rsa, 31).await, None, "a withdrawn key is no longer accepted");
    fs::write(&file, "not JSON").unwrap();
    assert_eq!(verify(&ec, 3600).await, Some(7), "cached keys remain usable when a read fails");
    assert_eq!(verify(&ec, 2 * 86_400).await, None, "but not forever");
}

#[tokio::test]
async fn keys_are_fetched_from_a_url_without_following_redirects() {
    let [rsa, ..] = key_pairs();
    let document = json!({ "keys": [public(&rsa)] }).to_string();
    let endless = "x".repeat(1 << 20);
    let routes = Router::new()
        .route("/keys", get(async move || document))
        .route("/elsewhere", get(async || Redirect::temporary("/keys")))
        .route("/endless", get(async move || endless))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    let genuine = token(rsa.algorithm, rsa.id, &rsa.private, &claims());
    for (path, expected) in [("keys", Some(7)), ("elsewhere", None), ("endless", None), ("broken", None)] {
        let mut config = config();
        config.jwks_url = Some(format!("http://{address}/{path}").parse().unwrap());
        let platform = PlatformTokens::new(&config).unwrap();
        assert_eq!(platform.verify(&genuine, NOW).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_shared_secret_verifies_only_the_tokens_it_signed() {
    let genuine = signed_with_secret(&claims());
    assert_eq!(with_shared_secret().verify(&genuine, NOW).await, Some(7));
    let foreign = token(Algorithm::HS256, "any", &EncodingKey::from_secret(b"another"), &claims());
    assert_eq!(with_shared_secret().verify(&foreign, NOW).await, None);
    let other_algorithm = token(Algorithm::HS512, "any", &EncodingKey::from_secret(SECRET), &claims());
    assert_eq!(with_shared_secret().verify(&other_algorithm, NOW).await, None);
    let (header, rest) = genuine.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
    assert_eq!(with_shared_secret().verify(&unsigned, NOW).await, None);
    assert_eq!(with_shared_secret().verify(header, NOW).await, None);
}

#[tokio::test]
async fn every_claim_must_have_the_right_type_and_value() {
    let now = NOW.timestamp();
    let cases = [
        ("exp", json!(now + 1), Some(7)),
        ("exp", json!(now), None),
        ("exp", json!("9999999999"), None),
        ("exp", json!(9_999_999_999.0), None),
        ("exp", json!(i64::MAX), None),
        ("exp", Value::Null, None),
        ("nbf", json!(now + 10), Some(7)),
        ("nbf", json!(now + 11), None),
        ("nbf", json!("0"), None),
        ("nbf", json!(0.5), None),
        ("nbf", Value::Null, None),
        ("aud", json!(["other", "hub"]), Some(7)),
        ("aud", json!(["other"]), None),
        ("aud", json!("HUB"), None),
        ("aud", json!([]), None),
        ("iss", json!("https://academy.example.evil"), None),
        ("iss", json!(["https://academy.example"]), None),
        ("sub", json!(7), None),
        ("sub", json!("admin"), None),
        ("sub", json!(""), None),
    ];
    for (claim, value, expected) in cases {
        let mut claims = claims();
        claims[claim] = value;
        assert_eq!(
            with_shared_secret().verify(&signed_with_secret(&claims), NOW).await,
            expected,
            "{claims}"
        );
    }
    for missing in ["exp", "aud", "iss", "sub"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(missing);
        assert_eq!(with_shared_secret().verify(&signed_with_secret(&claims), NOW).await, None, "{claims}");
    }
}
