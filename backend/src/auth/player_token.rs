//! Player tokens: tokens with which a video player can record the progress of one user, and nothing else.

use anyhow::Result;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::hub_token::{self, AUDIENCE};
use super::jwt;
use super::keys::{Keys, Purpose};

/// The `typ` claim.
const TOKEN_TYPE: &str = "player";

/// How long a player token is valid, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeMinutes(u16);

impl LifetimeMinutes {
    /// The maximum lifetime: a day.
    pub const MAX: u16 = 24 * 60;

    /// Accepts 1 to [`Self::MAX`] minutes.
    pub fn new(minutes: i32) -> Option<Self> {
        let minutes = u16::try_from(minutes).ok()?;
        (1..=Self::MAX).contains(&minutes).then_some(Self(minutes))
    }
}

/// The contents of a verified player token. Only the database knows whether the user is still active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayerToken {
    /// The user whose progress may be recorded.
    pub user_id: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    typ: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
}

impl PlayerToken {
    /// The signed token and when it expires, truncated to whole seconds as in the token.
    pub fn issue(
        &self,
        keys: &Keys,
        now: DateTime<Utc>,
        lifetime: LifetimeMinutes,
    ) -> Result<(SecretString, DateTime<Utc>)> {
        let expires_at = (now + TimeDelta::minutes(lifetime.0.into())).trunc_subsecs(0);
        let claims = Claims {
            typ: TOKEN_TYPE.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.user_id.to_string(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((hub_token::sign(keys, Purpose::Player, &claims)?, expires_at))
    }

    /// Verifies a token; `None` if it is not genuine or has expired.
    pub fn verify(keys: &Keys, token: &str, now: DateTime<Utc>) -> Option<Self> {
        let Claims { typ, aud, sub, iat, exp } = hub_token::verify(keys, Purpose::Player, token)?;
        let is_valid = typ == TOKEN_TYPE && aud == AUDIENCE && iat < exp && now < jwt::timestamp(exp)?;
        let user_id = sub.parse().ok()?;
        is_valid.then_some(Self { user_id })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::super::access_token::AccessToken;
    use super::*;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    const TOKEN: PlayerToken = PlayerToken { user_id: 7 };

    fn keys() -> Keys {
        Keys::new(&["a".repeat(32).into()]).unwrap()
    }

    #[test]
    fn a_token_is_valid_for_its_lifetime() {
        let (token, expires_at) = TOKEN.issue(&keys(), NOW, LifetimeMinutes::new(120).unwrap()).unwrap();
        let verify = |at| PlayerToken::verify(&keys(), token.expose_secret(), at);
        assert_eq!(expires_at, NOW + TimeDelta::hours(2));
        assert_eq!(verify(NOW), Some(TOKEN));
        assert_eq!(verify(expires_at), None);
    }

    #[test]
    fn player_tokens_and_access_tokens_are_not_interchangeable() {
        let (player, _) = TOKEN.issue(&keys(), NOW, LifetimeMinutes::new(1).unwrap()).unwrap();
        assert_eq!(AccessToken::verify(&keys(), player.expose_secret(), NOW), None);
        let access = AccessToken { user_id: 7, family_id: Uuid::nil() };
        let (access, _) = access.issue(&keys(), NOW).unwrap();
        assert_eq!(PlayerToken::verify(&keys(), access.expose_secret(), NOW), None);
    }

    #[test]
    fn a_lifetime_is_between_a_minute_and_a_day() {
        assert_eq!([-1, 0, 1441, i32::MAX].map(LifetimeMinutes::new), [None; 4]);
        assert!([1, 120, 1440].map(LifetimeMinutes::new).iter().all(Option::is_some));
    }
}
