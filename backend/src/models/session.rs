//! Refresh tokens: one row per token, one family per sign-in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use ipnet::IpNet;
use uuid::Uuid;

use crate::db::Connection;
use crate::db::schema::sessions;

/// A refresh token that was given out.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// Names the token; no secret.
    pub id: Uuid,
    /// What all tokens of one sign-in share.
    pub family_id: Uuid,
    /// Whose it is.
    pub user_id: i64,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// When it was exchanged for the next one.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A refresh token to be stored.
#[derive(Debug, Insertable)]
#[diesel(table_name = sessions)]
pub struct NewSession<'a> {
    /// Names the token.
    pub id: Uuid,
    /// What all tokens of one sign-in share.
    pub family_id: Uuid,
    /// Whose it is.
    pub user_id: i64,
    /// The token's SHA-256.
    pub token_hash: &'a [u8],
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Where the request came from.
    pub address: Option<IpNet>,
    /// What the browser calls itself.
    pub user_agent: Option<&'a str>,
}

impl Session {
    /// The token with this digest, whatever its state.
    pub async fn by_digest(conn: &mut Connection, digest: &[u8]) -> QueryResult<Option<Self>> {
        Self::query().filter(sessions::token_hash.eq(digest)).first(conn).await.optional()
    }

    /// Marks the token as exchanged.
    pub async fn mark_rotated(conn: &mut Connection, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(sessions::table.find(id)).set(sessions::rotated_at.eq(now)).execute(conn).await?;
        Ok(())
    }

    /// Ends a whole family.
    pub async fn revoke_family(
        conn: &mut Connection,
        family_id: Uuid,
        now: DateTime<Utc>,
    ) -> QueryResult<()> {
        diesel::update(sessions::table)
            .filter(sessions::family_id.eq(family_id))
            .filter(sessions::revoked_at.is_null())
            .set(sessions::revoked_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Ends every session of a user.
    pub async fn revoke_all(conn: &mut Connection, user_id: i64, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(sessions::table)
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::revoked_at.is_null())
            .set(sessions::revoked_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Deletes what has expired.
    pub async fn sweep(conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::delete(sessions::table).filter(sessions::expires_at.le(now)).execute(conn).await?;
        Ok(())
    }
}

impl NewSession<'_> {
    /// Stores the token.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<()> {
        diesel::insert_into(sessions::table).values(self).execute(conn).await?;
        Ok(())
    }
}
