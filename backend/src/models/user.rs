//! Users: accounts of people and services, with their roles and preferences.

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use domain::access::Role;
use uuid::Uuid;

use super::course::contains_pattern;
use crate::db::Connection;
use crate::db::schema::{course_teacher, sessions, users};

diesel::define_sql_function! {
    /// PostgreSQL's `lower`. E-mail addresses are unique in this form.
    fn lower(text: Text) -> Text;
}

/// An account. Not every account can sign in. The password's hash is not part of it.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = users)]
pub struct User {
    /// Id on the learning platform, or an id of the hub for accounts that were created here.
    pub id: i64,
    pub name: String,
    pub email: String,
    #[diesel(deserialize_as = String)]
    pub role: Role,
    /// Whether the `manage-settings` permission was granted or revoked. `None` means the default of the role.
    pub manage_settings: Option<bool>,
    pub active: bool,
    /// Tag of the language that the user chose.
    pub locale: Option<String>,
    /// Name of the time zone that the user chose.
    pub timezone: Option<String>,
}

/// A new account.
#[derive(Debug, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser<'a> {
    pub name: &'a str,
    pub email: &'a str,
    /// [`Role::key`].
    pub role: &'a str,
    /// Grants or revokes the `manage-settings` permission. `None` means the default of the role.
    pub manage_settings: Option<bool>,
    pub password_hash: &'a str,
}

/// Changes of a user by an admin. Fields that are `None` stay unchanged.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    /// [`Role::key`].
    pub role: Option<&'static str>,
    /// Grants or revokes the `manage-settings` permission.
    pub manage_settings: Option<bool>,
    pub active: Option<bool>,
    pub updated_at: DateTime<Utc>,
}

/// Changes of a user's own preferences. Fields that are `None` stay unchanged.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = users)]
pub struct Preferences {
    /// Tag of a language.
    pub locale: Option<&'static str>,
    /// Name of a time zone.
    pub timezone: Option<&'static str>,
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// Whether the user has the `manage-settings` permission.
    pub fn manages_settings(&self) -> bool {
        self.manage_settings.unwrap_or(self.role.manages_settings_by_default())
    }

    /// The user with this id, active or not.
    pub async fn find(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Self::query().filter(users::id.eq(id)).first(conn).await.optional()
    }

    /// The active user with this id.
    pub async fn find_active(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Self::query().filter(users::id.eq(id)).filter(users::active).first(conn).await.optional()
    }

    /// The active user with this id, if the user's session family is neither revoked nor expired.
    pub async fn find_active_in_session(
        conn: &mut Connection,
        id: i64,
        family_id: Uuid,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<Self>> {
        let valid_session = sessions::table
            .filter(sessions::family_id.eq(family_id))
            .filter(sessions::user_id.eq(users::id))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(now));
        Self::query()
            .filter(users::id.eq(id))
            .filter(users::active)
            .filter(dsl::exists(valid_session))
            .first(conn)
            .await
            .optional()
    }

    /// The user with this e-mail address, active or not.
    pub async fn find_by_email(conn: &mut Connection, email: &str) -> QueryResult<Option<Self>> {
        Self::query().filter(lower(users::email).eq(lower(email))).first(conn).await.optional()
    }

    /// Whether a user with this e-mail address exists, active or not.
    pub async fn exists_with_email(conn: &mut Connection, email: &str) -> QueryResult<bool> {
        let matching = users::table.filter(lower(users::email).eq(lower(email)));
        dsl::select(dsl::exists(matching)).get_result(conn).await
    }

    /// The active user with this e-mail address, and the hash of the password. `None` if the user has no
    /// password.
    pub async fn find_active_with_password_hash(
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

    /// Locks the user with this id until the transaction ends, and returns the user. Other transactions
    /// cannot change the user or start a session for the user.
    pub async fn lock(conn: &mut Connection, id: i64) -> QueryResult<Option<Self>> {
        Self::query().filter(users::id.eq(id)).for_no_key_update().first(conn).await.optional()
    }

    /// Locks the active admins until the transaction ends, and returns their ids.
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
    pub async fn active_with_roles(conn: &mut Connection, roles: &[Role]) -> QueryResult<Vec<Self>> {
        Self::query()
            .filter(users::role.eq_any(roles.iter().map(|role| role.key())))
            .filter(users::active)
            .order(users::id)
            .load(conn)
            .await
    }

    /// At most `limit` users whose name or e-mail address contains `search`, in the order of their ids, after
    /// the id `after`.
    pub async fn page(conn: &mut Connection, search: &str, after: i64, limit: i64) -> QueryResult<Vec<Self>> {
        let pattern = contains_pattern(search);
        Self::query()
            .filter(users::name.ilike(&pattern).or(users::email.ilike(&pattern)))
            .filter(users::id.gt(after))
            .order(users::id)
            .limit(limit)
            .load(conn)
            .await
    }

    /// The number of users whose name or e-mail address contains `search`.
    pub async fn count(conn: &mut Connection, search: &str) -> QueryResult<i64> {
        let pattern = contains_pattern(search);
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

    /// Stores changes by an admin, and returns the updated user.
    pub async fn update(conn: &mut Connection, id: i64, changes: &UserChanges) -> QueryResult<Self> {
        diesel::update(users::table.find(id))
            .set(changes)
            .returning(Self::as_returning())
            .get_result(conn)
            .await
    }

    /// Stores the user's preferences, and returns the updated user.
    pub async fn update_preferences(
        conn: &mut Connection,
        id: i64,
        preferences: &Preferences,
    ) -> QueryResult<Self> {
        diesel::update(users::table.find(id))
            .set(preferences)
            .returning(Self::as_returning())
            .get_result(conn)
            .await
    }

    /// Sets the password's hash of the user with this e-mail address.
    pub async fn set_password_hash(conn: &mut Connection, email: &str, hash: &str) -> QueryResult<()> {
        diesel::update(users::table.filter(lower(users::email).eq(lower(email))))
            .set(users::password_hash.eq(hash))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Replaces the hash of an unchanged password. Does nothing if the password was changed in the meantime.
    pub async fn rehash(conn: &mut Connection, id: i64, from: &str, to: &str) -> QueryResult<()> {
        diesel::update(users::table.find(id).filter(users::password_hash.eq(from)))
            .set(users::password_hash.eq(to))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl NewUser<'_> {
    /// Inserts the account and returns it.
    pub async fn insert(&self, conn: &mut Connection) -> QueryResult<User> {
        diesel::insert_into(users::table).values(self).returning(User::as_returning()).get_result(conn).await
    }
}

/// The ids and names of the users with these ids. Unknown ids are left out.
pub async fn names(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::name)).load(conn).await
}

/// The ids and e-mail addresses of the users with these ids. Unknown ids are left out.
pub async fn emails(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<(i64, String)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::email)).load(conn).await
}
