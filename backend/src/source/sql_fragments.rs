//! SQL that diesel's query builder cannot express.

use chrono::{DateTime, Utc};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Json, Nullable, Text, Timestamptz};

use super::Cursor;

/// `(date, id) < (…)` or `>`: a row comparison, which an index on both columns supports directly.
#[derive(Clone, Copy, Debug)]
pub struct KeysetComparison<D, I> {
    pub(super) date: D,
    pub(super) id: I,
    pub(super) direction: Direction,
    pub(super) cursor: Cursor,
}

/// Whether rows must be older or newer than a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Older,
    Newer,
}

impl<D: QueryFragment<Pg>, I: QueryFragment<Pg>> QueryFragment<Pg> for KeysetComparison<D, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.date.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(match self.direction {
            Direction::Older => ") < (",
            Direction::Newer => ") > (",
        });
        out.push_bind_param::<Timestamptz, _>(&self.cursor.at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.cursor.id)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<D, I> QueryId for KeysetComparison<D, I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<D: Expression, I: Expression> Expression for KeysetComparison<D, I> {
    type SqlType = Bool;
}

impl<D: AppearsOnTable<Q>, I: AppearsOnTable<Q>, Q> AppearsOnTable<Q> for KeysetComparison<D, I> where
    Self: Expression
{
}

impl<D: SelectableExpression<Q>, I: SelectableExpression<Q>, Q> SelectableExpression<Q>
    for KeysetComparison<D, I>
where
    Self: AppearsOnTable<Q>,
{
}

impl<D, I> ValidGrouping<()> for KeysetComparison<D, I> {
    type IsAggregate = is_aggregate::No;
}

/// Counts the rows that a query returns.
#[derive(Clone, Copy, Debug, QueryId)]
pub struct Count<Q>(pub(super) Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Count<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

impl<Q> Query for Count<Q> {
    type SqlType = BigInt;
}

/// The planner's estimate for a query, as JSON.
#[derive(Clone, Copy, Debug, QueryId)]
pub struct Explain<Q>(pub(super) Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("EXPLAIN (FORMAT JSON) ");
        self.0.walk_ast(out.reborrow())
    }
}

impl<Q> Query for Explain<Q> {
    type SqlType = Json;
}

/// The times of the first and the last player event that a query returns.
#[derive(Clone, Copy, Debug, QueryId)]
pub struct FirstAndLast<Q>(pub(crate) Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for FirstAndLast<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT min(recorded_at), max(recorded_at) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

impl<Q> Query for FirstAndLast<Q> {
    type SqlType = (Nullable<Timestamptz>, Nullable<Timestamptz>);
}

/// Counts the player events that a query returns, by bucket and kind.
///
/// PostgreSQL gets the start of each bucket instead of a time zone, whose name it may not know.
#[derive(Clone, Copy, Debug)]
pub struct BucketCounts<'a, Q> {
    pub(crate) query: Q,
    pub(crate) starts: &'a [DateTime<Utc>],
    pub(crate) end: DateTime<Utc>,
    pub(crate) limit: i64,
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for BucketCounts<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT width_bucket(recorded_at, ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.starts)?;
        out.push_sql(") AS place, event, count(*) FROM (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted WHERE recorded_at < ");
        out.push_bind_param::<Timestamptz, _>(&self.end)?;
        out.push_sql(" GROUP BY place, event ORDER BY place, event COLLATE \"C\" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl<Q> QueryId for BucketCounts<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for BucketCounts<'_, Q> {
    type SqlType = (Integer, Text, BigInt);
}
