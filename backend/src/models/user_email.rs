//! E-mail addresses of users by their ids, in one query for all rows of a response.

use std::collections::HashMap;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};

use super::user;
use crate::db::Pool;
use crate::error::{Error, Result, SharedError};
use crate::id::Id;

/// Loads e-mail addresses. Each request has its own loader, so that no address is cached for another caller.
pub struct UserEmails {
    pool: Pool,
}

impl UserEmails {
    /// Creates a loader that uses connections of this pool.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn load_all(&self, ids: &[i64]) -> Result<HashMap<i64, String>> {
        let found = user::emails(&mut *self.pool.get().await?, ids).await?;
        Ok(found.into_iter().collect())
    }
}

impl Loader<i64> for UserEmails {
    type Value = String;
    type Error = SharedError;

    async fn load(&self, ids: &[i64]) -> Result<HashMap<i64, String>, SharedError> {
        Ok(self.load_all(ids).await?)
    }
}

/// The e-mail address of a user.
pub async fn user_email(ctx: &Context<'_>, user: Id) -> Result<String, SharedError> {
    let email = optional_user_email(ctx, Some(user)).await?;
    email.ok_or_else(|| Error::Internal(anyhow::anyhow!("User {user} does not exist")).into())
}

/// The e-mail address of a user. `None` without a user, or if the user does not exist.
pub async fn optional_user_email(ctx: &Context<'_>, user: Option<Id>) -> Result<Option<String>, SharedError> {
    let Some(user) = user else { return Ok(None) };
    let emails = ctx.data_unchecked::<DataLoader<UserEmails>>();
    emails.load_one(user.0).await
}
