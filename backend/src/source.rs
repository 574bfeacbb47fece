//! Reads the rows that a [`Grant`] allows. Every query of a dataset starts here.
//!
//! Each dataset's row struct implements [`Source`], and pages, counts, estimates and exports are generic over
//! it. E-mail addresses are looked up by id instead of joined (see [`Source::EMAILS`]), because with a join
//! the stable order could not use its index.

mod page;
mod query_methods;
pub mod read_transaction;
mod sql_fragments;

use std::future::Future;

use async_graphql::{InputType, ObjectType};
use diesel::dsl::{AsSelect, IntoBoxed, Select};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LimitDsl;
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, RunQueryDsl};
use domain::{Dataset, Grant};

pub use page::{Cursor, Page, PageRequest, Rows, page_size, rows};
pub use query_methods::{FilterSome, InCourses, InDateRange, Ordered, Seek};

pub use sql_fragments::{BucketCounts, FirstAndLast};
use sql_fragments::{Count, Explain};

/// A dataset's boxed query, to which filters can be added.
pub type BoxedQuery<S> = IntoBoxed<'static, Select<<S as HasQuery<Pg>>::BaseQuery, AsSelect<S, Pg>>, Pg>;

/// Rows in PostgreSQL's binary format.
pub type RawRow<'conn> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'static>;

/// A stream of [`RawRow`]s.
pub type RawRows<'conn> = <AsyncPgConnection as AsyncConnectionCore>::Stream<'conn, 'static>;

/// A row of a dataset that can be read with a grant.
pub trait Source: ObjectType + Sized + Send + Sync + 'static {
    /// The dataset that the row belongs to.
    const DATASET: Dataset;
    /// The table that the rows are from.
    const TABLE: &'static str;
    /// The columns of the table that the dataset does not expose, sorted. A test checks that all others are exposed.
    const HIDDEN: &'static [&'static str];
    /// The selected fields, in order: `id`, then keys of the dataset's columns.
    const FIELDS: &'static [&'static str];
    /// The columns with an e-mail address, each with the field that holds the user's id: `(column, field)`. The first is that
    /// of the person whom the row is about.
    const EMAILS: &'static [(&'static str, &'static str)];
    /// The GraphQL input that filters the rows.
    type Filter: InputType;
    /// The type of the diesel query.
    type Query: ReadQuery<Self>;

    /// Queries the rows that the grant allows, starting at `seek`. Days in the filter are days in `zone`.
    fn query(grant: &Grant, zone: chrono_tz::Tz, seek: Seek) -> Self::Query;

    /// The row's position in the stable order.
    fn cursor(&self) -> Cursor;
}

/// The operations on a dataset's query, declared once so that generic code need not repeat diesel's bounds.
pub trait ReadQuery<S>: Sized + Send {
    /// Loads at most `limit` rows.
    fn load_rows(
        self,
        conn: &mut AsyncPgConnection,
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<S>>> + Send;

    /// Counts the rows, but at most `limit + 1`.
    fn count_up_to(
        self,
        conn: &mut AsyncPgConnection,
        limit: i64,
    ) -> impl Future<Output = QueryResult<i64>> + Send;

    /// Counts all rows.
    fn count_all(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<i64>> + Send;

    /// Streams the rows as PostgreSQL sends them, without buffering the result.
    fn stream(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<RawRows<'_>>> + Send;

    /// The planner's estimate of the number of rows.
    fn planner_estimate(self, conn: &mut AsyncPgConnection) -> impl Future<Output = QueryResult<i64>> + Send;
}

/// Counts the rows that match the grant's filter.
pub async fn count<S: Source>(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: chrono_tz::Tz,
) -> QueryResult<i64> {
    S::query(grant, zone, Seek::Unordered).count_all(conn).await
}

/// An estimate of the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub rows: i64,
    /// Whether the rows were counted.
    pub exact: bool,
}

/// Estimates how many rows match. Exact up to [`MAX_EXACT_COUNT`], and the planner's estimate above.
pub async fn estimate<S: Source>(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: chrono_tz::Tz,
) -> QueryResult<Estimate> {
    let counted = S::query(grant, zone, Seek::Unordered).count_up_to(conn, MAX_EXACT_COUNT).await?;
    if counted <= MAX_EXACT_COUNT {
        return Ok(Estimate { rows: counted, exact: true });
    }
    let planner_estimate = S::query(grant, zone, Seek::Unordered).planner_estimate(conn).await?;
    Ok(Estimate { rows: planner_estimate.max(counted), exact: false })
}

/// The highest number of rows that is counted exactly for an estimate, which takes a few milliseconds.
pub const MAX_EXACT_COUNT: i64 = 10_000;

impl<S, Q> ReadQuery<S> for Q
where
    S: Send + 'static,
    Q: LimitDsl<Output = Q> + QueryFragment<Pg> + QueryId + Query + Send + 'static,
    Q: for<'query> LoadQuery<'query, AsyncPgConnection, S>,
{
    async fn load_rows(self, conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<S>> {
        RunQueryDsl::load(LimitDsl::limit(self, limit), conn).await
    }

    async fn count_up_to(self, conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<i64> {
        RunQueryDsl::get_result(Count(LimitDsl::limit(self, limit + 1)), conn).await
    }

    async fn count_all(self, conn: &mut AsyncPgConnection) -> QueryResult<i64> {
        RunQueryDsl::get_result(Count(self), conn).await
    }

    async fn planner_estimate(self, conn: &mut AsyncPgConnection) -> QueryResult<i64> {
        let plan: serde_json::Value = RunQueryDsl::get_result(Explain(self), conn).await?;
        Ok(plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_i64).unwrap_or_default())
    }

    async fn stream(self, conn: &mut AsyncPgConnection) -> QueryResult<RawRows<'_>> {
        AsyncConnectionCore::load(conn, self).await
    }
}
