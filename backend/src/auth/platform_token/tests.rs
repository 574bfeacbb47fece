//! The platform's tokens, genuine and forged.

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

/// One of the key pairs made for these tests, and its name in the key set.
struct Pair {
    name: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

fn pairs() -> [Pair; 3] {
    type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
    let kinds: [(&str, Algorithm, Read); 3] = [
        ("rs256", Algorithm::RS256, EncodingKey::from_rsa_pem),
        ("es256", Algorithm::ES256, EncodingKey::from_ec_pem),
        ("eddsa", Algorithm::EdDSA, EncodingKey::from_ed_pem),
    ];
    kinds.map(|(name, algorithm, read)| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/keys");
        let pem = fs::read(folder.join(format!("platform-{name}.pem"))).unwrap();
        Pair { name, algorithm, private: read(&pem).unwrap() }
    })
}

fn public(pair: &Pair) -> Value {
    let mut jwk = Jwk::from_encoding_key(&pair.private, pair.algorithm).unwrap();
    jwk.common.key_id = Some(pair.name.to_owned());
    serde_json::to_value(jwk).unwrap()
}

fn write(file: &NamedTempFile, keys: &[Value]) {
    fs::write(file, json!({ "keys": keys }).to_string()).unwrap();
}

fn configured() -> config::auth::Auth {
    let mut config = config::Config::for_database("postgres:///", &"k".repeat(32)).auth;
    config.issuer = Some("https://academy.example".into());
    config.audience = Some("hub".into());
    config
}

/// Trusts the keys in a file, which it also gives.
fn trusting(keys: &[Value]) -> (PlatformTokens, NamedTempFile) {
    let file = NamedTempFile::new().unwrap();
    write(&file, keys);
    let mut config = configured();
    config.jwks_file = Some(file.path().to_owned());
    (PlatformTokens::new(&config).unwrap(), file)
}

fn shared() -> PlatformTokens {
    let mut config = configured();
    config.hs256_secret = Some(String::from_utf8(SECRET.to_vec()).unwrap().into());
    PlatformTokens::new(&config).unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://academy.example", "aud": "hub", "sub": "7", "exp": NOW.timestamp() + 60})
}

fn token(algorithm: Algorithm, name: &str, key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some(name.to_owned()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn by_secret(claims: &Value) -> String {
    token(Algorithm::HS256, "any", &EncodingKey::from_secret(SECRET), claims)
}

#[tokio::test]
async fn each_kind_of_key_proves_its_own_tokens() {
    let pairs = pairs();
    let (platform, _file) = trusting(&pairs.each_ref().map(public));
    for Pair { name, algorithm, private } in &pairs {
        let genuine = token(*algorithm, name, private, &claims());
        assert_eq!(platform.read(&genuine, NOW).await, Some(7), "{name}");
        assert_eq!(shared().read(&genuine, NOW).await, None, "{name}");
    }
    let [rsa, ec, _] = &pairs;
    let misnamed = token(rsa.algorithm, ec.name, &rsa.private, &claims());
    assert_eq!(platform.read(&misnamed, NOW).await, None);
    let traversing = token(rsa.algorithm, "../../keys/rs256", &rsa.private, &claims());
    assert_eq!(platform.read(&traversing, NOW).await, None);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let pairs = pairs();
    let keys = pairs.each_ref().map(public);
    let (platform, _file) = trusting(&keys);
    for (pair, public) in pairs.iter().zip(&keys) {
        let published = [public.to_string(), public["n"].to_string(), public["x"].to_string(), String::new()];
        for secret in published {
            let key = EncodingKey::from_secret(secret.as_bytes());
            for algorithm in [Algorithm::HS256, Algorithm::HS384] {
                let forged = token(algorithm, pair.name, &key, &claims());
                assert_eq!(platform.read(&forged, NOW).await, None, "{}", pair.name);
            }
        }
    }
}

#[tokio::test]
async fn keys_of_other_kinds_and_uses_are_passed_over() {
    let [rsa, ec, ed] = pairs();
    let altered = |pair: &Pair, member: &str, value: &str| {
        let mut key = public(pair);
        key[member] = json!(value);
        key
    };
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": "YSBzZWNyZXQgdGhhdCBib3RoIHNpZGVzIGtub3cgb2Y"});
    let (platform, _file) = trusting(&[
        altered(&rsa, "alg", "RS512"),
        altered(&ec, "use", "enc"),
        json!({"kty": "RSA", "kid": "tiny", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "quantum", "kid": "later"}),
        json!("nonsense"),
        symmetric,
        public(&ed),
    ]);
    let read = async |pair: &Pair| {
        platform.read(&token(pair.algorithm, pair.name, &pair.private, &claims()), NOW).await
    };
    assert_eq!(read(&rsa).await, None);
    assert_eq!(read(&ec).await, None);
    assert_eq!(read(&ed).await, Some(7));
    let by_symmetric = token(Algorithm::HS256, "oct", &EncodingKey::from_secret(SECRET), &claims());
    assert_eq!(platform.read(&by_symmetric, NOW).await, None);
}

#[tokio::test]
async fn a_new_key_is_noticed_but_not_looked_for_more_than_twice_a_minute() {
    let [rsa, ec, _] = pairs();
    let (platform, file) = trusting(&[public(&rsa)]);
    let read = async |pair: &Pair, after: i64| {
        let mut claims = claims();
        claims["exp"] = json!(NOW.timestamp() + 10 * 86_400);
        let token = token(pair.algorithm, pair.name, &pair.private, &claims);
        platform.read(&token, NOW + TimeDelta::seconds(after)).await
    };
    assert_eq!(read(&rsa, 0).await, Some(7));
    write(&file, &[public(&ec)]);
    assert_eq!(read(&ec, 29).await, None);
    assert_eq!(read(&rsa, 29).await, Some(7), "the keys from before hold until they are read again");
    assert_eq!(read(&ec, 30).await, Some(7));
    assert_eq!(read(&rsa, 31).await, None, "a key that was withdrawn is void");
    fs::write(&file, "out of order").unwrap();
    assert_eq!(read(&ec, 3600).await, Some(7), "the keys from before go on while there are no others");
    assert_eq!(read(&ec, 2 * 86_400).await, None, "but not for ever");
}

#[tokio::test]
async fn keys_are_fetched_from_an_address_but_never_from_where_it_points_to() {
    let [rsa, ..] = pairs();
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
    let genuine = token(rsa.algorithm, rsa.name, &rsa.private, &claims());
    for (path, expected) in [("keys", Some(7)), ("elsewhere", None), ("endless", None), ("broken", None)] {
        let mut config = configured();
        config.jwks_url = Some(format!("http://{address}/{path}").parse().unwrap());
        let platform = PlatformTokens::new(&config).unwrap();
        assert_eq!(platform.read(&genuine, NOW).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_shared_secret_proves_only_what_it_signed() {
    let genuine = by_secret(&claims());
    assert_eq!(shared().read(&genuine, NOW).await, Some(7));
    let foreign = token(Algorithm::HS256, "any", &EncodingKey::from_secret(b"another"), &claims());
    assert_eq!(shared().read(&foreign, NOW).await, None);
    let other_algorithm = token(Algorithm::HS512, "any", &EncodingKey::from_secret(SECRET), &claims());
    assert_eq!(shared().read(&other_algorithm, NOW).await, None);
    let (header, rest) = genuine.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
    assert_eq!(shared().read(&unsigned, NOW).await, None);
    assert_eq!(shared().read(header, NOW).await, None);
}

#[tokio::test]
async fn every_claim_is_held_to_its_type_and_meaning() {
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
        assert_eq!(shared().read(&by_secret(&claims), NOW).await, expected, "{claims}");
    }
    for missing in ["exp", "aud", "iss", "sub"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(missing);
        assert_eq!(shared().read(&by_secret(&claims), NOW).await, None, "{claims}");
    }
}
