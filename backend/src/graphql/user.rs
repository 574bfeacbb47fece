//! Users, for admins.

use async_graphql::{Context, Object, SimpleObject};
use domain::access::{Act, Permission, Role};
use domain::filter::parse_id;
use futures_util::FutureExt as _;

use super::connection::{List, ListPage, Total, list_cost};
use super::context::ContextExt as _;
use crate::auth::account::{Change, change_user};
use crate::erasure;
use crate::error::Result;
use crate::id::Id;
use crate::models::user;

/// Users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// Users, sorted by ID. Errors: UNAUTHENTICATED, FORBIDDEN unless the caller is an admin, BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only users whose name or e-mail address contains this text.")] search: Option<
            String,
        >,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Only users after this cursor.")] after: Option<String>,
    ) -> Result<List<User>> {
        ctx.viewer_who_may(Act::Audit)?;
        let page = ListPage::new(first.unwrap_or(50), after.as_deref(), |cursor| parse_id(cursor).ok())?;
        // Names do not contain null characters, and PostgreSQL does not accept them.
        let search = search.unwrap_or_default().trim().replace('\0', "");
        let (after, limit) = (page.after.unwrap_or_default(), page.limit());
        let rows = user::User::page(&mut *ctx.conn().await?, &search, after, limit).await?;
        let total = Total::new(move |conn| {
            let search = search.clone();
            async move { user::User::count(conn, &search).await }.boxed()
        });
        page.connection(rows, |row| row.id.to_string(), |row| Ok(User::from(row)), total)
    }
}

/// Changes users.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes a user's role, permissions or state. Arguments that are left out change nothing. The change
    /// takes effect at once: a deactivated user is signed out, and their tokens and links no longer work.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN unless the caller is an admin, and with an API token; NOT_FOUND;
    /// CONFLICT if no active admin would remain.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the user.")] id: Id,
        #[graphql(desc = "The new role.")] role: Option<Role>,
        #[graphql(desc = "The new permissions. An empty list also removes those of the role.")]
        permissions: Option<Vec<Permission>>,
        #[graphql(desc = "Whether the user is active.")] active: Option<bool>,
    ) -> Result<User> {
        ctx.viewer_who_may(Act::ManageUsers)?;
        let change = Change {
            role,
            manage_settings: permissions.map(|permissions| permissions.contains(&Permission::ManageSettings)),
            active,
        };
        let now = ctx.app().clock.now();
        Ok(change_user(&mut *ctx.conn().await?, id.0, change, now).await?.into())
    }

    /// Removes or anonymizes everything that identifies a user, in every dataset, and what is still to be sent about them to
    /// the analytics services. Their player events become those of a guest. Repeating it changes nothing.
    ///
    /// Returns the number of rows that were changed or deleted.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN unless the caller is an admin, and with an API token; NOT_FOUND;
    /// CONFLICT for the last active admin.
    async fn erase_user_data(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the user.")] user_id: Id,
    ) -> Result<i32> {
        let viewer = ctx.viewer_who_may(Act::ManageUsers)?;
        let now = ctx.app().clock.now();
        let rows = erasure::erase(&mut *ctx.conn().await?, user_id.0, viewer.user_id, now).await?;
        Ok(i32::try_from(rows).unwrap_or(i32::MAX))
    }
}

/// A user.
#[derive(SimpleObject)]
pub struct User {
    /// ID of the user. Users of the learning platform have the platform's ID.
    id: Id,
    /// The user's name.
    name: String,
    /// The user's e-mail address.
    email: String,
    /// The user's role.
    role: Role,
    /// The user's permissions in addition to the role.
    permissions: Vec<Permission>,
    /// Whether the user is active. Inactive users have no access.
    active: bool,
}

impl From<user::User> for User {
    fn from(row: user::User) -> Self {
        Self {
            id: Id(row.id),
            permissions: permissions(&row),
            name: row.name,
            email: row.email,
            role: row.role,
            active: row.active,
        }
    }
}

/// The permissions of a user.
pub(super) fn permissions(user: &user::User) -> Vec<Permission> {
    if user.manages_settings() { vec![Permission::ManageSettings] } else { Vec::new() }
}
