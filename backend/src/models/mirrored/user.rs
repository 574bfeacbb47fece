//! Users, as sent by the learning platform. A user is a person or a service.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::Role;

use crate::db::Connection;
use crate::db::schema::users;
use crate::models::user::lower;

diesel::define_sql_function! {
    /// The first argument that is not null.
    fn coalesce(one: Nullable<Bool>, other: Nullable<Bool>) -> Nullable<Bool>;
}

/// A user, as sent by the platform. Password, language and time zone are not part of it.
#[derive(Debug, PartialEq, Insertable)]
#[diesel(table_name = users)]
pub struct MirroredUser {
    /// Id on the platform.
    pub id: i64,
    pub name: String,
    pub email: String,
    /// [`domain::Role::key`].
    pub role: &'static str,
    /// Grants or revokes the `manage-settings` permission. `None` leaves it unchanged.
    pub manage_settings: Option<bool>,
    pub active: bool,
}

/// The columns of a stored account that determine who may change it.
#[derive(Debug, Queryable)]
pub struct StoredUser {
    pub id: i64,
    pub name: String,
    pub email: String,
    /// The e-mail address in lower case, as the database compares it.
    pub folded_email: String,
    /// [`domain::Role::key`].
    pub role: String,
    /// Whether the `manage-settings` permission was granted or revoked. `None` means the default of the role.
    pub manage_settings: Option<bool>,
    pub active: bool,
    pub has_password: bool,
    pub is_erased: bool,
}

impl StoredUser {
    /// Locks the accounts with one of these ids or case-folded e-mail addresses until the transaction ends,
    /// and returns them.
    pub async fn lock(conn: &mut Connection, ids: &[i64], folded: &[String]) -> QueryResult<Vec<Self>> {
        users::table
            .filter(users::id.eq_any(ids).or(lower(users::email).eq_any(folded)))
            .order(users::id)
            .select((
                users::id,
                users::name,
                users::email,
                lower(users::email),
                users::role,
                users::manage_settings,
                users::active,
                users::password_hash.is_not_null(),
                users::erased_at.is_not_null(),
            ))
            .for_no_key_update()
            .load(conn)
            .await
    }

    /// Whether storing the row would change the account.
    pub fn differs_from(&self, row: &MirroredUser) -> bool {
        let MirroredUser { id: _, name, email, role, manage_settings, active } = row;
        self.name != *name
            || self.email != *email
            || self.role != *role
            || self.active != *active
            || manage_settings.is_some_and(|granted| self.manage_settings != Some(granted))
    }
}

#[derive(QueryableByName)]
struct FoldedEmail {
    #[diesel(sql_type = Text)]
    email: String,
}

impl MirroredUser {
    /// The stored users with these ids.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        let stored: Vec<(i64, String, String, String, Option<bool>, bool)> = users::table
            .filter(users::id.eq_any(ids))
            .select((
                users::id,
                users::name,
                users::email,
                users::role,
                users::manage_settings,
                users::active,
            ))
            .load(conn)
            .await?;
        let to_user = |(id, name, email, role, manage_settings, active): (_, _, _, String, _, _)| {
            Some(Self { id, name, email, role: Role::parse(&role)?.key(), manage_settings, active })
        };
        Ok(stored.into_iter().filter_map(to_user).collect())
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows. Erased users are not
    /// updated.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let manage_settings = || coalesce(excluded(users::manage_settings), users::manage_settings);
        let changed = users::name
            .is_distinct_from(excluded(users::name))
            .or(users::email.is_distinct_from(excluded(users::email)))
            .or(users::role.is_distinct_from(excluded(users::role)))
            .or(users::active.is_distinct_from(excluded(users::active)))
            .or(users::manage_settings.is_distinct_from(manage_settings()));
        let with_timestamps: Vec<_> =
            rows.iter().map(|row| (row, users::created_at.eq(now), users::updated_at.eq(now))).collect();
        diesel::insert_into(users::table)
            .values(with_timestamps)
            .on_conflict(users::id)
            .do_update()
            .set((
                users::name.eq(excluded(users::name)),
                users::email.eq(excluded(users::email)),
                users::role.eq(excluded(users::role)),
                users::manage_settings.eq(manage_settings()),
                users::active.eq(excluded(users::active)),
                users::updated_at.eq(excluded(users::updated_at)),
            ))
            .filter(users::erased_at.is_null().and(changed))
            .execute(conn)
            .await
    }

    /// Case-folds e-mail addresses as the database does to compare them.
    pub async fn fold_emails(conn: &mut Connection, emails: Vec<&str>) -> QueryResult<Vec<String>> {
        let folded: Vec<FoldedEmail> = diesel::sql_query(
            "SELECT lower(email) AS email FROM unnest($1) WITH ORDINALITY AS sent (email, place) ORDER BY place",
        )
        .bind::<Array<Text>, _>(emails)
        .load(conn)
        .await?;
        Ok(folded.into_iter().map(|folded| folded.email).collect())
    }

    /// The ids and case-folded e-mail addresses of the stored users with these addresses.
    pub async fn owners(conn: &mut Connection, folded: &[String]) -> QueryResult<Vec<(i64, String)>> {
        users::table
            .filter(lower(users::email).eq_any(folded))
            .select((users::id, lower(users::email)))
            .load(conn)
            .await
    }

    /// Replaces the e-mail addresses of these users by placeholders, so that other users can take the
    /// addresses. The users get their new addresses later in the transaction.
    pub async fn vacate(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        diesel::sql_query("UPDATE users SET email = 'vacated ' || id WHERE id = ANY($1)")
            .bind::<Array<diesel::sql_types::BigInt>, _>(ids)
            .execute(conn)
            .await?;
        Ok(())
    }
}
