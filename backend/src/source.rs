//! From a [`Grant`] to rows: the one place where a dataset's SQL begins.
//!
//! Each dataset's row struct implements [`Source`]; pages, counts, estimates and exports are functions over it. E-mail
//! addresses are not joined but looked up by id (see [`Source::EMAILS`]): a join would cost the stable order its index.

pub mod erased;
mod fragment;
pub mod grant;
mod ordered;
mod page;
pub mod series;
pub mod snapshot;

use std::future::Future;

use diesel::dsl::{AsSelect, IntoBoxed, Select};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LimitDsl;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, RunQueryDsl};
use domain::{Dataset, Grant};

pub use ordered::{FilterSome, InCourses, Ordered, Seek, Within};
pub use page::{Cursor, Page, PageRequest, Rows, rows};

use fragment::{Count, Explain};

/// A dataset's query, with a filter on it or not.
pub type Boxed<S> = IntoBoxed<'static, Select<<S as HasQuery<Pg>>::BaseQuery, AsSelect<S, Pg>>, Pg>;

/// Rows in PostgreSQL's binary format.
pub type RawRow<'conn> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'static>;

/// A stream of them.
pub type RawRows<'conn> = <AsyncPgConnection as AsyncConnectionCore>::Stream<'conn, 'static>;

/// A row of a dataset that can be read by a grant.
pub trait Source: Sized + Send + Sync + 'static {
    /// Which dataset it is a row of.
    const DATASET: Dataset;
    /// The selected fields in order: `id`, then keys of the dataset's columns.
    const FIELDS: &'static [&'static str];
    /// Columns that hold the e-mail address of the user whose id stands in another field: `(column, field)`.
    const EMAILS: &'static [(&'static str, &'static str)];
    /// The diesel query.
    type Query: ReadQuery<Self>;

    /// The rows that the grant gives leave to read, from `seek` on. A day in the filter is a day in `zone`.
    fn query(grant: &Grant, zone: chrono_tz::Tz, seek: Seek) -> Self::Query;

    /// Where the row stands in the stable order.
    fn cursor(&self) -> Cursor;
}

/// What every dataset's query can be asked, stated once so that generic code need not repeat diesel's bounds.
pub trait ReadQuery<S>: Sized + Send {
    /// At most `limit` rows.
    fn load_rows(
        self,
        conn: &mut AsyncPgConnection,
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<S>>> + Send;

    /// The number of rows; where there are more than `most`, `most + 1`.
    fn count_up_to(
        self,
        conn: &mut AsyncPgConnection,
        most: i64,
    ) -> impl Future<Output = QueryResult<i64>> + Send;

    /// The number of rows.
    fn count_all(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<i64>> + Send;

    /// The rows as PostgreSQL sends them, one after another, for as long as they are asked for.
    fn stream(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<RawRows<'_>>> + Send;

    /// The number of rows that the planner expects.
    fn planned(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<i64>> + Send;
}

/// How many rows pass; never asked of the database unless somebody wants to know.
pub async fn count<S: Source>(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: chrono_tz::Tz,
) -> QueryResult<i64> {
    S::query(grant, zone, Seek::Anywhere).count_all(conn).await
}

/// About how many rows pass: exact up to [`EXACT_ESTIMATE`], the planner's word above it.
pub async fn estimate<S: Source>(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: chrono_tz::Tz,
) -> QueryResult<i64> {
    let counted = S::query(grant, zone, Seek::Anywhere).count_up_to(conn, EXACT_ESTIMATE).await?;
    if counted <= EXACT_ESTIMATE {
        return Ok(counted);
    }
    let planned = S::query(grant, zone, Seek::Anywhere).planned(conn).await?;
    Ok(planned.max(counted))
}

/// Up to this many rows an estimate is exact: counting them takes a few milliseconds.
pub const EXACT_ESTIMATE: i64 = 10_000;

impl<S, Q> ReadQuery<S> for Q
where
    S: Send + 'static,
    Q: LimitDsl<Output = Q> + QueryFragment<Pg> + QueryId + Query + Send + 'static,
    Q: for<'query> LoadQuery<'query, AsyncPgConnection, S>,
{
    async fn load_rows(self, conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<S>> {
        RunQueryDsl::load(LimitDsl::limit(self, limit), conn).await
    }

    async fn count_up_to(self, conn: &mut AsyncPgConnection, most: i64) -> QueryResult<i64> {
        RunQueryDsl::get_result(Count(LimitDsl::limit(self, most + 1)), conn).await
    }

    async fn count_all(self, conn: &mut AsyncPgConnection) -> QueryResult<i64> {
        RunQueryDsl::get_result(Count(self), conn).await
    }

    async fn planned(self, conn: &mut AsyncPgConnection) -> QueryResult<i64> {
        let plan: serde_json::Value = RunQueryDsl::get_result(Explain(self), conn).await?;
        Ok(plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_i64).unwrap_or_default())
    }

    async fn stream(self, conn: &mut AsyncPgConnection) -> QueryResult<RawRows<'_>> {
        AsyncConnectionCore::load(conn, self).await
    }
}
