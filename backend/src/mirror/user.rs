//! Users. E-mail addresses are unique, deactivated users are signed out, and one active admin must remain.
//! Only an admin who signed in to the hub may change admins and protected accounts.

mod protection;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use domain::Text;

use super::unique::{Resolution, Unique};
use super::{Authority, Indexed, Mirrored, Problem};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::models::mirrored;
use crate::models::mirrored::user::{MirroredUser, StoredUser};
use crate::models::session::Session;
use crate::models::user::User;

const EMAIL: Unique = Unique {
    field: "email",
    taken_message: Text::new(
        "Otro usuario ya usa ese correo.",
        "This e-mail address is taken by another user.",
    ),
};

const NO_ADMIN_LEFT: Text = Text::new(
    "No quedaría ningún administrador activo. No se guardó nada.",
    "This would leave no active admin. Nothing was stored.",
);

impl Mirrored for MirroredUser {
    const TABLE: &'static str = "users";
    type Key = i64;

    fn key(&self) -> i64 {
        self.id
    }

    async fn refused_rows(
        conn: &mut Connection,
        rows: &[Indexed<Self>],
        authority: Authority,
    ) -> Result<Vec<Problem>> {
        match authority {
            Authority::AdminSignIn => Ok(Vec::new()),
            Authority::Limited => {
                let folded = Self::fold_emails(conn, emails(rows)).await?;
                // Admins are locked first, in the same order as everywhere else.
                User::lock_active_admins(conn).await?;
                let ids: Vec<i64> = rows.iter().map(|(_, row)| row.id).collect();
                let stored = StoredUser::lock(conn, &ids, &folded).await?;
                Ok(protection::refused_rows(rows, &folded, &stored))
            }
        }
    }

    async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        MirroredUser::stored(conn, ids).await
    }

    async fn lock(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        // Admins are locked first, in the same order as everywhere else.
        User::lock_active_admins(conn).await?;
        mirrored::lock_rows(conn, Self::TABLE, ids).await
    }

    /// A row without the permission leaves it unchanged.
    fn is_stored(&self, stored: Option<&Self>) -> bool {
        let Self { id, name, email, role, manage_settings, active } = self;
        stored.is_some_and(|stored| {
            let has_same_permission = manage_settings.is_none() || *manage_settings == stored.manage_settings;
            has_same_permission
                && (id, name, email, role, active)
                    == (&stored.id, &stored.name, &stored.email, &stored.role, &stored.active)
        })
    }

    async fn free_unique_values(conn: &mut Connection, rows: &[Indexed<Self>]) -> Result<Vec<Problem>> {
        let folded = Self::fold_emails(conn, emails(rows)).await?;
        let requested: Vec<(usize, i64, &str)> =
            rows.iter().zip(&folded).map(|((index, row), email)| (*index, row.id, email.as_str())).collect();
        let owners = Self::owners(conn, &folded).await?;
        let Resolution { problems, to_vacate } = EMAIL.resolve(&requested, &owners);
        if !to_vacate.is_empty() {
            Self::vacate(conn, &to_vacate).await?;
        }
        Ok(problems)
    }

    async fn store(conn: &mut Connection, rows: Vec<Self>, now: DateTime<Utc>) -> Result<usize> {
        let admins = User::lock_active_admins(conn).await?;
        let written = Self::upsert(conn, &rows, now).await?;
        let deactivated: Vec<i64> = rows.iter().filter(|row| !row.active).map(|row| row.id).collect();
        if !deactivated.is_empty() {
            Session::revoke_all(conn, &deactivated, now).await?;
        }
        if !admins.is_empty() && User::lock_active_admins(conn).await?.is_empty() {
            return Err(Error::Conflict(NO_ADMIN_LEFT.into()));
        }
        Ok(written)
    }
}

fn emails(rows: &[Indexed<MirroredUser>]) -> Vec<&str> {
    rows.iter().map(|(_, row)| row.email.as_str()).collect()
}
