//! Player tokens: what a video player shows to record the progress of one user, and good for nothing else.

use anyhow::Result;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::hub_token::{self, AUDIENCE};
use super::jwt;
use super::keys::{Keys, Purpose};

const KIND: &str = "player";

/// How many minutes a player token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes(u16);

impl Minutes {
    /// The longest life: a day.
    pub const MAX: u16 = 24 * 60;

    /// From 1 to [`Self::MAX`].
    pub fn new(minutes: i32) -> Option<Self> {
        let minutes = u16::try_from(minutes).ok()?;
        (1..=Self::MAX).contains(&minutes).then_some(Self(minutes))
    }
}

/// What a genuine player token says. The user may have gone since: ask the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayerToken {
    /// The only user whose progress may be recorded.
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
    /// The signed token, and when it expires: at a whole second, as the token says it.
    pub fn issue(
        &self,
        keys: &Keys,
        now: DateTime<Utc>,
        minutes: Minutes,
    ) -> Result<(SecretString, DateTime<Utc>)> {
        let expires_at = (now + TimeDelta::minutes(minutes.0.into())).trunc_subsecs(0);
        let claims = Claims {
            typ: KIND.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.user_id.to_string(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((hub_token::sign(keys, Purpose::Player, &claims)?, expires_at))
    }

    /// Reads a token that is genuine and has not expired.
    pub fn read(keys: &Keys, token: &str, now: DateTime<Utc>) -> Option<Self> {
        let Claims { typ, aud, sub, iat, exp } = hub_token::read(keys, Purpose::Player, token)?;
        let holds = typ == KIND && aud == AUDIENCE && iat < exp && now < jwt::moment(exp)?;
        let user_id = sub.parse().ok()?;
        holds.then_some(Self { user_id })
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
    fn a_token_is_good_for_its_minutes() {
        let (token, expires_at) = TOKEN.issue(&keys(), NOW, Minutes::new(120).unwrap()).unwrap();
        let read = |at| PlayerToken::read(&keys(), token.expose_secret(), at);
        assert_eq!(expires_at, NOW + TimeDelta::hours(2));
        assert_eq!(read(NOW), Some(TOKEN));
        assert_eq!(read(expires_at), None);
    }

    #[test]
    fn player_tokens_and_access_tokens_do_not_pass_for_each_other() {
        let (player, _) = TOKEN.issue(&keys(), NOW, Minutes::new(1).unwrap()).unwrap();
        assert_eq!(AccessToken::read(&keys(), player.expose_secret(), NOW), None);
        let access = AccessToken { user_id: 7, family_id: Uuid::nil() };
        let (access, _) = access.issue(&keys(), NOW).unwrap();
        assert_eq!(PlayerToken::read(&keys(), access.expose_secret(), NOW), None);
    }

    #[test]
    fn a_token_lives_from_a_minute_to_a_day() {
        assert_eq!([-1, 0, 1441, i32::MAX].map(Minutes::new), [None; 4]);
        assert!([1, 120, 1440].map(Minutes::new).iter().all(Option::is_some));
    }
}
