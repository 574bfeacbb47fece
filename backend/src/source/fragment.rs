//! Pieces of SQL that diesel has no words for.

use chrono::{DateTime, Utc};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Json, Nullable, Text, Timestamptz};

use super::Cursor;

/// `(date, id) < (…)` or `>`: a row comparison, which an index on both columns answers by itself.
#[derive(Clone, Copy, Debug)]
pub struct Beside<D, I> {
    pub(super) date: D,
    pub(super) id: I,
    pub(super) side: Side,
    pub(super) cursor: Cursor,
}

/// On which side of a cursor rows must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Older,
    Newer,
}

impl<D: QueryFragment<Pg>, I: QueryFragment<Pg>> QueryFragment<Pg> for Beside<D, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.date.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(match self.side {
            Side::Older => ") < (",
            Side::Newer => ") > (",
        });
        out.push_bind_param::<Timestamptz, _>(&self.cursor.at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.cursor.id)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<D, I> QueryId for Beside<D, I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<D: Expression, I: Expression> Expression for Beside<D, I> {
    type SqlType = Bool;
}

impl<D: AppearsOnTable<Q>, I: AppearsOnTable<Q>, Q> AppearsOnTable<Q> for Beside<D, I> where Self: Expression {}

impl<D: SelectableExpression<Q>, I: SelectableExpression<Q>, Q> SelectableExpression<Q> for Beside<D, I> where
    Self: AppearsOnTable<Q>
{
}

impl<D, I> ValidGrouping<()> for Beside<D, I> {
    type IsAggregate = is_aggregate::No;
}

/// The number of rows that a query gives.
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

/// The planner's thoughts about a query.
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

/// The moments of the first and the last player event that a query gives.
#[derive(Clone, Copy, Debug, QueryId)]
pub struct Ends<Q>(pub(super) Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Ends<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT min(recorded_at), max(recorded_at) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

impl<Q> Query for Ends<Q> {
    type SqlType = (Nullable<Timestamptz>, Nullable<Timestamptz>);
}

/// The player events that a query gives, counted by the stretch of time that they fall into and by kind.
///
/// PostgreSQL is told when each stretch begins rather than the name of a time zone, which it need not know.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a, Q> {
    pub(super) query: Q,
    pub(super) starts: &'a [DateTime<Utc>],
    pub(super) end: DateTime<Utc>,
    pub(super) most: i64,
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Counts<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT width_bucket(recorded_at, ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.starts)?;
        out.push_sql(") AS place, event, count(*) FROM (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted WHERE recorded_at < ");
        out.push_bind_param::<Timestamptz, _>(&self.end)?;
        out.push_sql(" GROUP BY place, event ORDER BY place, event COLLATE \"C\" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.most)
    }
}

impl<Q> QueryId for Counts<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Counts<'_, Q> {
    type SqlType = (Integer, Text, BigInt);
}
