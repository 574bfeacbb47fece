//! Refresh tokens: one row per token, one family per sign-in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use ipnet::IpNet;
use uuid::Uuid;

use crate::db::Connection;
use crate::db::schema::sessions;

/// An issued refresh token.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: Uuid,
    /// Shared by all tokens of one sign-in.
    pub family_id: Uuid,
    pub user_id: i64,
    pub expires_at: DateTime<Utc>,
    /// When it was exchanged for a new token.
    pub rotated_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new refresh token.
#[derive(Debug, Insertable)]
#[diesel(table_name = sessions)]
pub struct NewSession<'a> {
    pub id: Uuid,
    /// Shared by all tokens of one sign-in.
    pub family_id: Uuid,
    pub user_id: i64,
    /// SHA-256 of the token.
    pub token_hash: &'a [u8],
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// IP address of the client.
    pub address: Option<IpNet>,
    pub user_agent: Option<&'a str>,
}

impl Session {
    /// The token with this SHA-256, even if it is expired or revoked.
    pub async fn find_by_digest(conn: &mut Connection, digest: &[u8]) -> QueryResult<Option<Self>> {
        Self::query().filter(sessions::token_hash.eq(digest)).first(conn).await.optional()
    }

    /// Records that the token was exchanged for a new one.
    pub async fn mark_rotated(conn: &mut Connection, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(sessions::table.find(id)).set(sessions::rotated_at.eq(now)).execute(conn).await?;
        Ok(())
    }

    /// Revokes all tokens of a family.
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

    /// Revokes all tokens of these users.
    pub async fn revoke_all(conn: &mut Connection, user_ids: &[i64], now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(sessions::table)
            .filter(sessions::user_id.eq_any(user_ids))
            .filter(sessions::revoked_at.is_null())
            .set(sessions::revoked_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Deletes expired tokens.
    pub async fn delete_expired(conn: &mut Connection, now: DateTime<Utc>) -> QueryResult<()> {
        diesel::delete(sessions::table).filter(sessions::expires_at.le(now)).execute(conn).await?;
        Ok(())
    }
}

impl NewSession<'_> {
    /// Inserts the token.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<()> {
        diesel::insert_into(sessions::table).values(self).execute(conn).await?;
        Ok(())
    }
}
