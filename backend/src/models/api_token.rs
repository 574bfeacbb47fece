//! API tokens: for scripts and services, each with a part of its owner's rights.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::access::TokenScope;

use super::user::User;
use crate::db::Connection;
use crate::db::schema::{api_tokens, users};

/// How exactly the last use of a token is known: writing each one down would cost a write per request.
const LAST_USE_PRECISION: TimeDelta = TimeDelta::minutes(1);

/// A token that was given out. Its secret is nowhere.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    /// Names the token; no secret.
    pub id: i64,
    /// Whose rights it carries.
    pub user_id: i64,
    /// What its owner calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last accepted, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token to be stored.
#[derive(Debug, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewApiToken<'a> {
    /// Whose rights it carries.
    pub user_id: i64,
    /// What its owner calls it.
    pub name: &'a str,
    /// How it begins.
    pub prefix: &'a str,
    /// Its SHA-256.
    pub token_hash: &'a [u8],
    /// The [`TokenScope::key`]s.
    pub scopes: Vec<&'static str>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Whose tokens somebody deals with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Everybody's.
    Anybody,
    /// Those of the user with this id.
    User(i64),
}

impl ApiToken {
    /// What it may be used for.
    pub fn scopes(&self) -> Vec<TokenScope> {
        self.scopes.iter().filter_map(|scope| TokenScope::parse(scope)).collect()
    }

    /// The token with this digest and its owner, if both are good.
    pub async fn in_force(
        conn: &mut Connection,
        digest: &[u8],
        now: DateTime<Utc>,
    ) -> QueryResult<Option<(Self, User)>> {
        good(now).filter(api_tokens::token_hash.eq(digest)).first(conn).await.optional()
    }

    /// The token with this id and its owner, if both are good.
    pub async fn in_force_by_id(
        conn: &mut Connection,
        id: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<(Self, User)>> {
        good(now).filter(api_tokens::id.eq(id)).first(conn).await.optional()
    }

    /// Writes the use down, unless one was written down within the last minute.
    pub async fn note_use(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        let known = now - LAST_USE_PRECISION;
        if self.last_used_at.is_some_and(|used| used > known) {
            return Ok(());
        }
        diesel::update(api_tokens::table.find(self.id))
            .filter(api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.le(known)))
            .set(api_tokens::last_used_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The owner's tokens, the newest first.
    pub async fn of(conn: &mut Connection, owner: Owner) -> QueryResult<Vec<Self>> {
        let mut tokens = Self::query().order(api_tokens::id.desc()).into_boxed();
        if let Owner::User(id) = owner {
            tokens = tokens.filter(api_tokens::user_id.eq(id));
        }
        tokens.load(conn).await
    }

    /// Ends a token of the owner's, and answers with it as it is now; ending it again changes nothing.
    pub async fn revoke(
        conn: &mut Connection,
        id: i64,
        owner: Owner,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let mut token = api_tokens::table.find(id).select(Self::as_select()).into_boxed();
        if let Owner::User(user_id) = owner {
            token = token.filter(api_tokens::user_id.eq(user_id));
        }
        let Some(token) = token.first::<Self>(conn).await.optional()? else { return Ok(None) };
        let revoked_at = token.revoked_at.unwrap_or(now);
        diesel::update(api_tokens::table.find(token.id))
            .set(api_tokens::revoked_at.eq(revoked_at))
            .returning(Self::as_returning())
            .get_result(conn)
            .await
            .optional()
    }
}

impl NewApiToken<'_> {
    /// Stores the token.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<ApiToken> {
        diesel::insert_into(api_tokens::table)
            .values(self)
            .returning(ApiToken::as_returning())
            .get_result(conn)
            .await
    }
}

/// Tokens that are neither revoked nor expired, with owners who are active.
#[diesel::dsl::auto_type]
fn good(now: DateTime<Utc>) -> _ {
    let token: AsSelect<ApiToken, Pg> = ApiToken::as_select();
    let owner: AsSelect<User, Pg> = User::as_select();
    api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .filter(users::active)
        .select((token, owner))
}
