//! API tokens for scripts and services. Each has some of its owner's permissions.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::access::TokenScope;

use super::user::User;
use crate::db::Connection;
use crate::db::schema::{api_tokens, users};

/// Precision of `last_used_at`. Recording every use would cost a write per request.
const LAST_USE_PRECISION: TimeDelta = TimeDelta::minutes(1);

/// An issued token. The secret is not stored.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    /// The first characters of the token.
    pub prefix: String,
    scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last accepted, to within a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new token.
#[derive(Debug, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewApiToken<'a> {
    pub user_id: i64,
    pub name: &'a str,
    /// The first characters of the token.
    pub prefix: &'a str,
    /// SHA-256 of the token.
    pub token_hash: &'a [u8],
    /// The [`TokenScope::key`]s.
    pub scopes: Vec<&'static str>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// The tokens that a query applies to, by owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerFilter {
    /// The tokens of every user.
    Any,
    /// The tokens of the user with this id.
    User(i64),
}

impl ApiToken {
    /// The scopes that the token grants.
    pub fn scopes(&self) -> Vec<TokenScope> {
        self.scopes.iter().filter_map(|scope| TokenScope::parse(scope)).collect()
    }

    /// The token with this SHA-256 and its owner, if the token is valid and the owner is active.
    pub async fn find_valid(
        conn: &mut Connection,
        digest: &[u8],
        now: DateTime<Utc>,
    ) -> QueryResult<Option<(Self, User)>> {
        valid_tokens(now).filter(api_tokens::token_hash.eq(digest)).first(conn).await.optional()
    }

    /// The token with this id and its owner, if the token is valid and the owner is active.
    pub async fn find_valid_by_id(
        conn: &mut Connection,
        id: i64,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<(Self, User)>> {
        valid_tokens(now).filter(api_tokens::id.eq(id)).first(conn).await.optional()
    }

    /// Updates `last_used_at`, unless it was updated within the last minute.
    pub async fn record_use(&self, conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        let cutoff = now - LAST_USE_PRECISION;
        if self.last_used_at.is_some_and(|last_used_at| last_used_at > cutoff) {
            return Ok(());
        }
        diesel::update(api_tokens::table.find(self.id))
            .filter(api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.le(cutoff)))
            .set(api_tokens::last_used_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The owner's tokens, newest first.
    pub async fn list(conn: &mut Connection, owner: OwnerFilter) -> QueryResult<Vec<Self>> {
        let mut tokens = Self::query().order(api_tokens::id.desc()).into_boxed();
        if let OwnerFilter::User(id) = owner {
            tokens = tokens.filter(api_tokens::user_id.eq(id));
        }
        tokens.load(conn).await
    }

    /// Revokes a token of the owner and returns it. Revoking it again changes nothing. `None` if the token
    /// does not exist.
    pub async fn revoke(
        conn: &mut Connection,
        id: i64,
        owner: OwnerFilter,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let mut token = api_tokens::table.find(id).select(Self::as_select()).into_boxed();
        if let OwnerFilter::User(user_id) = owner {
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
    /// Inserts the token.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<ApiToken> {
        diesel::insert_into(api_tokens::table)
            .values(self)
            .returning(ApiToken::as_returning())
            .get_result(conn)
            .await
    }
}

/// Tokens that are neither revoked nor expired and have an active owner.
#[diesel::dsl::auto_type]
fn valid_tokens(now: DateTime<Utc>) -> _ {
    let token: AsSelect<ApiToken, Pg> = ApiToken::as_select();
    let owner: AsSelect<User, Pg> = User::as_select();
    api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .filter(users::active)
        .select((token, owner))
}
