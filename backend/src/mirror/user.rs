//! Users: addresses are unique, sessions end with the account, one admin always remains, and only an admin who signed in
//! here changes who governs the hub.

mod protection;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use domain::Text;

use super::unique::{Settled, Unique};
use super::{Authority, Mirrored, Numbered, Problem};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::mirrored;
use crate::models::mirrored::user::{MirroredUser, StoredUser};
use crate::models::user::User;

const EMAIL: Unique = Unique {
    field: "email",
    taken: Text::new("Ese correo es de otro usuario.", "That e-mail address is another user's."),
};

const NO_ADMIN_LEFT: Text = Text::new(
    "No quedaría ningún administrador activo. No se guardó nada.",
    "No active admin would be left. Nothing was stored.",
);

impl Mirrored for MirroredUser {
    const TABLE: &'static str = "users";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn refused(
        conn: &mut Connection,
        rows: &[Numbered<Self>],
        authority: Authority,
    ) -> Result<Vec<Problem>> {
        match authority {
            Authority::AdminSignIn => Ok(Vec::new()),
            Authority::Limited => {
                let folded = Self::folded(conn, emails(rows)).await?;
                // The admins first, as everybody who changes accounts locks them.
                User::lock_active_admins(conn).await?;
                let ids: Vec<i64> = rows.iter().map(|(_, row)| row.id).collect();
                let stored = StoredUser::lock(conn, &ids, &folded).await?;
                Ok(protection::refused(rows, &folded, &stored))
            }
        }
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredUser::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        // The admins first, as everybody does who must leave one.
        User::lock_active_admins(conn).await?;
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    /// Who says nothing of the permission leaves it as it is.
    fn is_stored(&self, stored: Option<&Self>) -> bool {
        let Self { id, name, email, role, manage_settings, active } = self;
        stored.is_some_and(|stored| {
            let keeps = manage_settings.is_none() || *manage_settings == stored.manage_settings;
            keeps
                && (id, name, email, role, active)
                    == (&stored.id, &stored.name, &stored.email, &stored.role, &stored.active)
        })
    }

    async fn make_room(conn: &mut Connection, rows: &[Numbered<Self>]) -> Result<Vec<Problem>> {
        let folded = Self::folded(conn, emails(rows)).await?;
        let wanted: Vec<(usize, i64, &str)> =
            rows.iter().zip(&folded).map(|((index, row), email)| (*index, row.id, email.as_str())).collect();
        let owners = Self::owners(conn, &folded).await?;
        let Settled { problems, givers } = EMAIL.settle(&wanted, &owners);
        if !givers.is_empty() {
            Self::vacate(conn, &givers).await?;
        }
        Ok(problems)
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        let admins = User::lock_active_admins(conn).await?;
        let written = Self::upsert(conn, &rows, now).await?;
        let locked_out: Vec<i64> = rows.iter().filter(|row| !row.active).map(|row| row.id).collect();
        if !locked_out.is_empty() {
            Self::end_sessions(conn, &locked_out, now).await?;
        }
        if !admins.is_empty() && User::lock_active_admins(conn).await?.is_empty() {
            return Err(Error::Conflict(NO_ADMIN_LEFT.into()));
        }
        Ok(written)
    }
}

fn emails(rows: &[Numbered<MirroredUser>]) -> Vec<&str> {
    rows.iter().map(|(_, row)| row.email.as_str()).collect()
}
