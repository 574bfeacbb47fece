//! Refused rows by import: one query for a whole page of imports.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use crate::db::Pool;
use crate::models::import_rejection::ImportRejection;

/// Looks refused rows up; made anew for each request, so that nobody meets what was looked up for another.
pub struct Rejections {
    pool: Pool,
}

/// The first refused rows of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FirstOf {
    /// The import's id.
    pub import: i64,
    /// At most so many rows.
    pub limit: i64,
}

impl Rejections {
    /// A loader that takes its connections from this pool.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

impl Loader<FirstOf> for Rejections {
    type Value = Vec<ImportRejection>;
    type Error = String;

    async fn load(&self, wanted: &[FirstOf]) -> Result<HashMap<FirstOf, Self::Value>, String> {
        let mut conn = self.pool.get().await.map_err(|error| error.to_string())?;
        let mut found: HashMap<FirstOf, Self::Value> = HashMap::new();
        let mut by_limit: HashMap<i64, Vec<i64>> = HashMap::new();
        for first in wanted {
            by_limit.entry(first.limit).or_default().push(first.import);
        }
        for (limit, imports) in by_limit {
            let rows = ImportRejection::first_of_each(&mut conn, &imports, limit).await;
            for row in rows.map_err(|error| error.to_string())? {
                found.entry(FirstOf { import: row.import_id, limit }).or_default().push(row);
            }
        }
        Ok(found)
    }
}
