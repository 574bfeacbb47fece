//! E-mail addresses by user id: one query for a whole page, whatever it shows.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use crate::db::Pool;
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
}

impl Loader<i64> for Emails {
    type Value = String;
    type Error = String;

    async fn load(&self, ids: &[i64]) -> Result<HashMap<i64, String>, String> {
        let mut conn = self.pool.get().await.map_err(|error| error.to_string())?;
        let found = user::emails(&mut conn, ids).await.map_err(|error| error.to_string())?;
        Ok(found.into_iter().collect())
    }
}
