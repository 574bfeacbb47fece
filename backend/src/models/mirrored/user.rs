//! People and services as the learning platform states them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::Role;

use crate::db::Connection;
use crate::db::schema::{sessions, users};
use crate::models::user::lower;

diesel::define_sql_function! {
    /// The first that is not null.
    fn coalesce(one: Nullable<Bool>, other: Nullable<Bool>) -> Nullable<Bool>;
}

/// What the platform says of one person; their password, language and time zone are their own.
#[derive(Debug, PartialEq, Insertable)]
#[diesel(table_name = users)]
pub struct MirroredUser {
    /// Their id on the platform.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// [`domain::Role::key`].
    pub role: &'static str,
    /// The `manage-settings` permission: granted, taken, or left as it is.
    pub manage_settings: Option<bool>,
    /// Whether they may do anything at all.
    pub active: bool,
}

/// An account as it is stored, as far as it decides who may change it.
#[derive(Debug, Queryable)]
pub struct StoredUser {
    /// Their id.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their e-mail address as they write it.
    pub email: String,
    /// Their e-mail address as the database compares it.
    pub folded_email: String,
    /// [`domain::Role::key`].
    pub role: String,
    /// The `manage-settings` permission, where somebody granted or took it.
    pub manage_settings: Option<bool>,
    /// Whether they may do anything at all.
    pub active: bool,
    /// Whether they sign in here.
    pub has_password: bool,
    /// Whether they were erased.
    pub is_erased: bool,
}

impl StoredUser {
    /// The accounts with one of these ids or folded addresses, none of which can be changed until the transaction ends.
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
struct Folded {
    #[diesel(sql_type = Text)]
    email: String,
}

impl MirroredUser {
    /// Those of these people who are stored.
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
        let person = |(id, name, email, role, manage_settings, active): (_, _, _, String, _, _)| {
            Some(Self { id, name, email, role: Role::parse(&role)?.key(), manage_settings, active })
        };
        Ok(stored.into_iter().filter_map(person).collect())
    }

    /// Stores the rows and answers with how many were new or changed. An erased person stays erased.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let granted = || coalesce(excluded(users::manage_settings), users::manage_settings);
        let changed = users::name
            .is_distinct_from(excluded(users::name))
            .or(users::email.is_distinct_from(excluded(users::email)))
            .or(users::role.is_distinct_from(excluded(users::role)))
            .or(users::active.is_distinct_from(excluded(users::active)))
            .or(users::manage_settings.is_distinct_from(granted()));
        let stamped: Vec<_> =
            rows.iter().map(|row| (row, users::created_at.eq(now), users::updated_at.eq(now))).collect();
        diesel::insert_into(users::table)
            .values(stamped)
            .on_conflict(users::id)
            .do_update()
            .set((
                users::name.eq(excluded(users::name)),
                users::email.eq(excluded(users::email)),
                users::role.eq(excluded(users::role)),
                users::manage_settings.eq(granted()),
                users::active.eq(excluded(users::active)),
                users::updated_at.eq(excluded(users::updated_at)),
            ))
            .filter(users::erased_at.is_null().and(changed))
            .execute(conn)
            .await
    }

    /// Addresses as the database folds them to compare them.
    pub async fn folded(conn: &mut Connection, emails: Vec<&str>) -> QueryResult<Vec<String>> {
        let folded: Vec<Folded> = diesel::sql_query(
            "SELECT lower(email) AS email FROM unnest($1) WITH ORDINALITY AS sent (email, place) ORDER BY place",
        )
        .bind::<Array<Text>, _>(emails)
        .load(conn)
        .await?;
        Ok(folded.into_iter().map(|folded| folded.email).collect())
    }

    /// Who has these folded addresses now.
    pub async fn owners(conn: &mut Connection, folded: &[String]) -> QueryResult<Vec<(i64, String)>> {
        users::table
            .filter(lower(users::email).eq_any(folded))
            .select((users::id, lower(users::email)))
            .load(conn)
            .await
    }

    /// Takes their addresses from people who are about to get others, so that somebody else can have them.
    pub async fn vacate(conn: &mut Connection, ids: &[i64]) -> QueryResult<()> {
        diesel::sql_query("UPDATE users SET email = 'vacated ' || id WHERE id = ANY($1)")
            .bind::<Array<diesel::sql_types::BigInt>, _>(ids)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Ends every session of these people.
    pub async fn end_sessions(conn: &mut Connection, ids: &[i64], now: DateTime<Utc>) -> QueryResult<()> {
        diesel::update(sessions::table)
            .filter(sessions::user_id.eq_any(ids))
            .filter(sessions::revoked_at.is_null())
            .set(sessions::revoked_at.eq(now))
            .execute(conn)
            .await?;
        Ok(())
    }
}
