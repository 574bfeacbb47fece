//! Pages of lists, as connections.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Object, OutputType};
use domain::text::Text;
use futures_util::future::BoxFuture;

use super::context::ContextExt as _;
use crate::db;
use crate::error::{Error, Result};
use crate::models::QueryResult;
use crate::source;

/// A page of a list.
pub type List<T> = Connection<String, T, Total, EmptyFields>;

/// The cursor does not belong to the list.
pub const INVALID_CURSOR: Text =
    Text::new("Cursor no válido para esta lista.", "Invalid cursor for this list.");

/// Checks the argument `first`.
pub fn page_size(first: i32) -> Result<i64> {
    source::page_size("first", first)
}

/// The complexity of a list: that of its items, so that aliases and long lists are charged for.
pub fn list_cost(first: Option<i32>, item: usize) -> usize {
    let items = usize::try_from(first.unwrap_or(50)).unwrap_or_default();
    10 + items.saturating_mul(item) / 10
}

/// Which page of a list to read.
#[derive(Debug)]
pub struct ListPage<C> {
    size: i64,
    /// Only items after this one.
    pub after: Option<C>,
}

impl<C> ListPage<C> {
    /// The page after a cursor, or the first one.
    pub fn new(first: i32, after: Option<&str>, decode: impl Fn(&str) -> Option<C>) -> Result<Self> {
        let size = page_size(first)?;
        let after = match after {
            Some(cursor) => Some(decode(cursor).ok_or_else(|| Error::invalid("after", INVALID_CURSOR))?),
            None => None,
        };
        Ok(Self { size, after })
    }

    /// The number of rows to read: one more than the page has, to know whether another page follows.
    pub const fn limit(&self) -> i64 {
        self.size + 1
    }

    /// The page with these rows.
    pub fn connection<R, T: OutputType>(
        &self,
        mut rows: Vec<R>,
        cursor: impl Fn(&R) -> String,
        mut node: impl FnMut(R) -> Result<T>,
        total: Total,
    ) -> Result<List<T>> {
        let size = usize::try_from(self.size).unwrap_or_default();
        let has_next = rows.len() > size;
        rows.truncate(size);
        let mut connection = Connection::with_additional_fields(self.after.is_some(), has_next, total);
        for row in rows {
            connection.edges.push(Edge::new(cursor(&row), node(row)?));
        }
        Ok(connection)
    }
}

type Count = dyn for<'conn> Fn(&'conn mut db::Connection) -> BoxFuture<'conn, QueryResult<i64>> + Send + Sync;

/// The fields of a connection in addition to its page.
pub struct Total {
    count: Box<Count>,
}

impl Total {
    /// A total that is counted by this function, and only if it is asked for.
    pub fn new(
        count: impl for<'conn> Fn(&'conn mut db::Connection) -> BoxFuture<'conn, QueryResult<i64>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { count: Box::new(count) }
    }
}

#[Object]
impl Total {
    /// The number of items on all pages. It is counted only if asked for.
    #[graphql(complexity = 50)]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = (self.count)(&mut *ctx.conn().await?).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
