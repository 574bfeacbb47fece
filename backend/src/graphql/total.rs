//! The number of rows on all pages of a connection, counted only when it is asked for.

use async_graphql::{Context, Object};
use futures_util::future::BoxFuture;

use super::context::ContextExt as _;
use crate::db::Connection;
use crate::error::Result;
use crate::models::QueryResult;

type Count = dyn for<'conn> Fn(&'conn mut Connection) -> BoxFuture<'conn, QueryResult<i64>> + Send + Sync;

/// What a connection says beside its page.
pub struct Total {
    count: Box<Count>,
}

impl Total {
    /// Counts like this, if at all.
    pub fn new(
        count: impl for<'conn> Fn(&'conn mut Connection) -> BoxFuture<'conn, QueryResult<i64>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { count: Box::new(count) }
    }
}

#[Object]
impl Total {
    /// How many rows there are in all, on every page; counted only when asked for.
    #[graphql(complexity = 50)]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = (self.count)(&mut *ctx.conn().await?).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
