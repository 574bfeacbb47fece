//! People and services: who they are, what they may do, and their own preferences.

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use domain::access::Role;
use uuid::Uuid;

use super::course::containing;
use crate::db::Connection;
use crate::db::schema::{course_teacher, sessions, users};

diesel::define_sql_function! {
    /// As PostgreSQL folds it, which is how e-mail addresses are unique.
    fn lower(text: Text) -> Text;
}

/// Somebody with an account, whether they sign in here or not. Their password's hash stays in the database.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = users)]
pub struct User {
    /// Their id on the learning platform, or one of ours.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// Their e-mail address as they write it.
    pub email: String,
    /// What they are.
    #[diesel(deserialize_as = String)]
    pub role: Role,
    /// The `manage-settings` permission, where somebody granted or took it.
    pub manage_settings: Option<bool>,
    /// Whether they may do anything at all.
    pub active: bool,
    /// Their language, where they chose one.
    pub locale: Option<String>,
    /// Their time zone, where they chose one.
    pub timezone: Option<String>,
}

/// An account to be made.
#[derive(Debug, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser<'a> {
    /// Their name.
    pub name: &'a str,
    /// Their e-mail address.
    pub email: &'a str,
    /// [`Role::key`].
    pub role: &'a str,
    /// Granted, or as the role has it.
    pub manage_settings: Option<bool>,
    /// The password's hash.
    pub password_hash: &'a str,
}

/// What an admin may change about somebody; what is `None` stays.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    /// [`Role::key`].
    pub role: Option<&'static str>,
    /// Granted or taken.
    pub manage_settings: Option<bool>,
    /// Let in or locked out.
    pub active: Option<bool>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// What somebody may change about themselves; what is `None` stays.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = users)]
pub struct Preferences {
    /// The tag of a language.
    pub locale: Option<&'static str>,
    /// The name of a time zone.
    pub timezone: Option<&'static str>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// Whether they hold the `manage-settings` permission.
    pub fn manages_settings(&self) -> bool {
        self.manage_settings.unwrap_or(self.role.manages_settings_by_default())
    }

    /// The active user with this id.
    pub async fn active(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Self::query().filter(users::id.eq(id)).filter(users::active).first(conn).await.optional()
    }

    /// The active user with this id, if this session family of theirs goes on.
    pub async fn in_session(
        conn: &mut Connection,
        id: i64,
        family_id: Uuid,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let goes_on = sessions::table
            .filter(sessions::family_id.eq(family_id))
            .filter(sessions::user_id.eq(users::id))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(now));
        Self::query()
            .filter(users::id.eq(id))
            .filter(users::active)
            .filter(dsl::exists(goes_on))
            .first(conn)
            .await
            .optional()
    }

    /// The user with this e-mail address, active or not.
    pub async fn by_email(conn: &mut Connection, email: &str) -> QueryResult<Option<Self>> {
        Self::query().filter(lower(users::email).eq(lower(email))).first(conn).await.optional()
    }

    /// Whether there is a user with this e-mail address, active or not.
    pub async fn exists_with_email(conn: &mut Connection, email: &str) -> QueryResult<bool> {
        let known = users::table.filter(lower(users::email).eq(lower(email)));
        dsl::select(dsl::exists(known)).get_result(conn).await
    }

    /// The active user with this e-mail address, and their password's hash.
    pub async fn with_password_hash(
        conn: &mut Connection,
        email: &str,
    ) -> QueryResult<Option<(Self, String)>> {
        users::table
            .filter(lower(users::email).eq(lower(email)))
            .filter(users::active)
            .select((Self::as_select(), users::password_hash.assume_not_null()))
            .filter(users::password_hash.is_not_null())
            .first(conn)
            .await
            .optional()
    }

    /// The user with this id, whom nobody else can change, and who can start no session, until the transaction ends.
    pub async fn lock(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Self::query().filter(users::id.eq(id)).for_no_key_update().first(conn).await.optional()
    }

    /// The ids of the active admins, none of whom can be changed until the transaction ends.
    pub async fn lock_active_admins(conn: &mut Connection) -> QueryResult<Vec<i64>> {
        users::table
            .filter(users::role.eq(Role::Admin.key()))
            .filter(users::active)
            .order(users::id)
            .select(users::id)
            .for_no_key_update()
            .load(conn)
            .await
    }

    /// The active users with one of these roles.
    pub async fn active_in(conn: &mut Connection, roles: &[Role]) -> QueryResult<Vec<Self>> {
        Self::query()
            .filter(users::role.eq_any(roles.iter().map(|role| role.key())))
            .filter(users::active)
            .order(users::id)
            .load(conn)
            .await
    }

    /// A page of users in the order of their ids, from the one behind `after` on; `search` is a part of name or address.
    pub async fn page(conn: &mut Connection, search: &str, after: i64, limit: i64) -> QueryResult<Vec<Self>> {
        let pattern = containing(search);
        Self::query()
            .filter(users::name.ilike(&pattern).or(users::email.ilike(&pattern)))
            .filter(users::id.gt(after))
            .order(users::id)
            .limit(limit)
            .load(conn)
            .await
    }

    /// How many users the search finds.
    pub async fn count(conn: &mut Connection, search: &str) -> QueryResult<i64> {
        let pattern = containing(search);
        users::table
            .filter(users::name.ilike(&pattern).or(users::email.ilike(&pattern)))
            .count()
            .get_result(conn)
            .await
    }

    /// The ids of the courses that are assigned to this user.
    pub async fn course_ids(conn: &mut Connection, id: i64) -> QueryResult<Vec<i64>> {
        course_teacher::table
            .filter(course_teacher::teacher_id.eq(id))
            .select(course_teacher::course_id)
            .load(conn)
            .await
    }

    /// Stores a change of an admin's, and answers with the user as they are now.
    pub async fn change(conn: &mut Connection, id: i64, changes: &UserChanges) -> QueryResult<Self> {
        diesel::update(users::table.find(id))
            .set(changes)
            .returning(Self::as_returning())
            .get_result(conn)
            .await
    }

    /// Stores the user's own wishes, and answers with the user as they are now.
    pub async fn prefer(conn: &mut Connection, id: i64, preferences: &Preferences) -> QueryResult<Self> {
        diesel::update(users::table.find(id))
            .set(preferences)
            .returning(Self::as_returning())
            .get_result(conn)
            .await
    }

    /// Sets the hash of the password of whoever has this e-mail address.
    pub async fn set_password(conn: &mut Connection, email: &str, hash: &str) -> QueryResult<()> {
        diesel::update(users::table.filter(lower(users::email).eq(lower(email))))
            .set(users::password_hash.eq(hash))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Replaces the hash of an unchanged password, unless the password was changed meanwhile.
    pub async fn rehash(conn: &mut Connection, id: i64, from: &str, to: &str) -> QueryResult<()> {
        diesel::update(users::table.find(id).filter(users::password_hash.eq(from)))
            .set(users::password_hash.eq(to))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl NewUser<'_> {
    /// Makes the account.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<User> {
        diesel::insert_into(users::table).values(self).returning(User::as_returning()).get_result(conn).await
    }
}

/// E-mail addresses by user id; ids that are not there are left out.
pub async fn emails(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::email)).load(conn).await
}
