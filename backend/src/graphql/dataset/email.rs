//! E-mail addresses by user id: one query for a whole page, whatever it shows.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use crate::db::Pool;
use crate::error::{Result, SharedError};
use crate::models::user;

/// Looks addresses up; made anew for each request, so that nobody meets what was looked up for another.
pub struct Emails {
    pool: Pool,
}

impl Emails {
    /// A loader that takes its connections from this pool.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn look_up(&self, ids: &[i64]) -> Result<HashMap<i64, String>> {
        let found = user::emails(&mut *self.pool.get().await?, ids).await?;
        Ok(found.into_iter().collect())
    }
}

impl Loader<i64> for Emails {
    type Value = String;
    type Error = SharedError;

    async fn load(&self, ids: &[i64]) -> Result<HashMap<i64, String>, SharedError> {
        Ok(self.look_up(ids).await?)
    }
}
