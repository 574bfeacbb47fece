//! Pieces of SQL that diesel has no words for.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Json, Timestamptz};

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
