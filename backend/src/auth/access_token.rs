//! Access tokens: the short-lived tokens that a signed-in person sends with each request.

use anyhow::Result;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::hub_token::{self, AUDIENCE};
use super::jwt;
use super::keys::{Keys, Purpose};

/// How long an access token is valid.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// The `typ` claim.
const TOKEN_TYPE: &str = "access";

/// The contents of a verified access token. Only the database knows whether the user and the session are
/// still active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessToken {
    pub user_id: i64,
    /// The session that the token was issued for: a family of refresh tokens.
    pub family_id: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    typ: String,
    aud: String,
    sub: String,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

impl AccessToken {
    /// The signed token and when it expires, truncated to whole seconds as in the token.
    pub fn issue(&self, keys: &Keys, now: DateTime<Utc>) -> Result<(SecretString, DateTime<Utc>)> {
        let expires_at = (now + LIFETIME).trunc_subsecs(0);
        let claims = Claims {
            typ: TOKEN_TYPE.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.user_id.to_string(),
            sid: self.family_id,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((hub_token::sign(keys, Purpose::Access, &claims)?, expires_at))
    }

    /// Verifies a token; `None` if it is not genuine or has expired.
    pub fn verify(keys: &Keys, token: &str, now: DateTime<Utc>) -> Option<Self> {
        let Claims { typ, aud, sub, sid, iat, exp } = hub_token::verify(keys, Purpose::Access, token)?;
        let is_valid = typ == TOKEN_TYPE && aud == AUDIENCE && iat < exp && now < jwt::timestamp(exp)?;
        let user_id = sub.parse().ok()?;
        is_valid.then_some(Self { user_id, family_id: sid })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    const TOKEN: AccessToken = AccessToken { user_id: 7, family_id: Uuid::from_u128(1) };

    fn keys(letter: &str) -> Keys {
        Keys::new(&[letter.repeat(32).into()]).unwrap()
    }

    fn claims() -> Value {
        json!({"typ": "access", "aud": AUDIENCE, "sub": "7", "sid": Uuid::from_u128(1), "iat": 1, "exp": NOW.timestamp() + 1})
    }

    /// Signs any header and payload with the real key.
    fn signed(header: &Value, payload: &str) -> String {
        let keys = keys("a");
        let parts = [header.to_string(), payload.to_owned()].map(|part| URL_SAFE_NO_PAD.encode(part));
        let message = parts.join(".");
        let (_, mac) = keys.sign(Purpose::Access, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    fn header() -> Value {
        json!({"alg": "HS256", "kid": keys("a").sign(Purpose::Access, b"").0})
    }

    fn verify(token: &str) -> Option<AccessToken> {
        AccessToken::verify(&keys("a"), token, NOW)
    }

    #[test]
    fn a_token_is_valid_for_fifteen_minutes_and_with_its_own_key() {
        let (token, expires_at) = TOKEN.issue(&keys("a"), NOW).unwrap();
        let verify = |keys: &Keys, at| AccessToken::verify(keys, token.expose_secret(), at);
        assert_eq!(expires_at, NOW + LIFETIME);
        assert_eq!(verify(&keys("a"), NOW), Some(TOKEN));
        assert_eq!(verify(&keys("a"), expires_at - TimeDelta::seconds(1)), Some(TOKEN));
        assert_eq!(verify(&keys("a"), expires_at), None);
        assert_eq!(verify(&keys("b"), NOW), None);
    }

    #[test]
    fn claims_of_the_wrong_type_are_refused_even_when_signed() {
        assert_eq!(verify(&signed(&header(), &claims().to_string())), Some(TOKEN));
        let wrong = [
            ("exp", json!("9999999999")),
            ("exp", json!(9_999_999_999.5)),
            ("exp", json!(1.0e300)),
            ("exp", json!(i64::MAX)),
            ("exp", Value::Null),
            ("iat", json!("1")),
            ("sub", json!(7)),
            ("sub", json!("7 or 8")),
            ("aud", json!("elsewhere")),
            ("aud", json!([AUDIENCE])),
            ("typ", json!("player")),
            ("sid", json!("none")),
        ];
        for (claim, value) in wrong {
            let mut claims = claims();
            claims[claim] = value;
            assert_eq!(verify(&signed(&header(), &claims.to_string())), None, "{claims}");
        }
        for missing in ["exp", "iat", "sub", "aud", "typ", "sid"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(missing);
            assert_eq!(verify(&signed(&header(), &claims.to_string())), None, "{claims}");
        }
        let duplicate = claims().to_string().replacen('{', r#"{"exp":1,"#, 1);
        assert_eq!(verify(&signed(&header(), &duplicate)), None);
        let not_a_number = claims().to_string().replace(&(NOW.timestamp() + 1).to_string(), "NaN");
        assert_eq!(verify(&signed(&header(), &not_a_number)), None);
    }

    #[test]
    fn headers_with_another_algorithm_key_or_extension_are_refused() {
        let kid = header()["kid"].clone();
        let wrong = [
            json!({"alg": "none", "kid": kid}),
            json!({"alg": "None", "kid": kid}),
            json!({"alg": "HS384", "kid": kid}),
            json!({"alg": "RS256", "kid": kid}),
            json!({"kid": kid}),
            json!({"alg": "HS256"}),
            json!({"alg": "HS256", "kid": "../../../../dev/null"}),
            json!({"alg": "HS256", "kid": ""}),
            json!({"alg": "HS256", "kid": kid, "crit": ["exp"]}),
        ];
        for header in wrong {
            assert_eq!(verify(&signed(&header, &claims().to_string())), None, "{header}");
        }
    }

    #[test]
    fn malformed_tokens_are_refused() {
        let token = signed(&header(), &claims().to_string());
        let unsigned = token.rsplit_once('.').unwrap().0;
        for token in [
            unsigned,
            &format!("{unsigned}."),
            &format!("{token}."),
            &token[1..],
            "",
            "..",
            &"a".repeat(9000),
        ] {
            assert_eq!(verify(token), None, "{token}");
        }
    }
}
