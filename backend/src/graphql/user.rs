//! Users, for admins.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Object, SimpleObject};
use domain::access::Act;
use domain::filter::parse_id;
use domain::text::Text;
use futures_util::FutureExt as _;

use super::catalog::{at_most, list_cost};
use super::context::ContextExt as _;
use super::names::{Permission, RoleName};
use super::total::Total;
use crate::auth::account::{Change, change_user};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::user;

const NO_CURSOR: Text = Text::new("Eso no es un cursor de esta lista.", "That is no cursor of this list.");

/// Users.
#[derive(Default)]
pub struct UserQuery;

type Users = Connection<String, User, Total, EmptyFields>;

#[Object]
impl UserQuery {
    /// Users in the order of their ids. Errors: UNAUTHENTICATED, FORBIDDEN but for admins, BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Part of the name or of the e-mail address.")] search: Option<String>,
        #[graphql(desc = "At most so many, from 0 to 500; 50 unless told.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Behind the user with this cursor.")] after: Option<String>,
    ) -> Result<Users> {
        ctx.viewer_who_may(Act::Audit)?;
        let limit = at_most("first", first.unwrap_or(50))?;
        let behind = match &after {
            Some(cursor) => parse_id(cursor).map_err(|_| Error::invalid("after", NO_CURSOR))?,
            None => 0,
        };
        // No name has a NUL in it, and PostgreSQL takes none.
        let search = search.unwrap_or_default().trim().replace('\0', "");
        let mut page = user::User::page(&mut *ctx.conn().await?, &search, behind, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_next = page.len() > wanted;
        page.truncate(wanted);
        let total = Total::new(move |conn| {
            let search = search.clone();
            async move { user::User::count(conn, &search).await }.boxed()
        });
        let mut users = Connection::with_additional_fields(after.is_some(), has_next, total);
        users.edges = page.into_iter().map(|row| Edge::new(row.id.to_string(), User::from(row))).collect();
        Ok(users)
    }
}

/// Changing users.
#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes a user's role, permissions or state; what is not given stays. It counts at once: a user who is locked out
    /// is signed out, and their tokens and links are void.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN but for admins, and with an API token; NOT_FOUND; CONFLICT when no active
    /// admin would remain.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] id: Id,
        #[graphql(desc = "What they are from now on.")] role: Option<RoleName>,
        #[graphql(
            desc = "All that they hold from now on; the empty list takes away even what the role has."
        )]
        permissions: Option<Vec<Permission>>,
        #[graphql(desc = "False locks them out.")] active: Option<bool>,
    ) -> Result<User> {
        ctx.viewer_who_may(Act::ManageUsers)?;
        let change = Change {
            role: role.map(Into::into),
            manage_settings: permissions.map(|held| held.contains(&Permission::ManageSettings)),
            active,
        };
        let now = ctx.app().clock.now();
        Ok(change_user(&mut *ctx.conn().await?, id.0, change, now).await?.into())
    }
}

/// Somebody with an account.
#[derive(SimpleObject)]
pub struct User {
    /// Their id on the learning platform, or one of ours.
    id: Id,
    /// Their name.
    name: String,
    /// Their e-mail address.
    email: String,
    /// What they are.
    role: RoleName,
    /// What they may do beyond their role.
    permissions: Vec<Permission>,
    /// Whether they may do anything at all.
    active: bool,
}

impl From<user::User> for User {
    fn from(row: user::User) -> Self {
        Self {
            id: Id(row.id),
            permissions: Permission::of(&row),
            name: row.name,
            email: row.email,
            role: row.role.into(),
            active: row.active,
        }
    }
}
