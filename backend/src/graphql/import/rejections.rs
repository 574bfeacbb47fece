//! Rejected rows of imports, in one query for a whole page of imports.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use crate::db::Pool;
use crate::error::{Result, SharedError};
use crate::models::import_rejection::ImportRejection;

/// Loads rejected rows. Each request has its own loader, so that no row is cached for another caller.
pub struct Rejections {
    pool: Pool,
}

/// Which rejected rows to load: the first ones of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FirstOf {
    pub import: i64,
    pub limit: i64,
}

impl Rejections {
    /// A loader that takes its connections from this pool.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    async fn load_all(&self, wanted: &[FirstOf]) -> Result<HashMap<FirstOf, Vec<ImportRejection>>> {
        let mut conn = self.pool.get().await?;
        let mut found: HashMap<FirstOf, Vec<ImportRejection>> = HashMap::new();
        let mut by_limit: HashMap<i64, Vec<i64>> = HashMap::new();
        for first in wanted {
            by_limit.entry(first.limit).or_default().push(first.import);
        }
        for (limit, imports) in by_limit {
            for row in ImportRejection::first_of_each(&mut conn, &imports, limit).await? {
                found.entry(FirstOf { import: row.import_id, limit }).or_default().push(row);
            }
        }
        Ok(found)
    }
}

impl Loader<FirstOf> for Rejections {
    type Value = Vec<ImportRejection>;
    type Error = SharedError;

    async fn load(&self, wanted: &[FirstOf]) -> Result<HashMap<FirstOf, Self::Value>, SharedError> {
        Ok(self.load_all(wanted).await?)
    }
}
