//! Filters and ordering that all datasets share, as methods on their queries.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::{Asc, Desc, EqAny, GtEq, Lt, LtEq};
use diesel::expression::{Expression, NonAggregate};
use diesel::prelude::*;
use diesel::query_dsl::methods::{FilterDsl, OrderDsl};
use domain::Filter;
use domain::access::CourseScope;
use domain::dataset::FilterKey;
use domain::filter::Until;

use super::Cursor;
use super::sql_fragments::{Direction, KeysetComparison};

/// Where in the stable order (date, then id, both descending) to start reading, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// From the newest row, towards older ones.
    First,
    /// Rows after this cursor: older ones, newest first.
    After(Cursor),
    /// From the oldest row, towards newer ones.
    Last,
    /// Rows before this cursor: newer ones, oldest first.
    Before(Cursor),
    /// All rows in no order, for counting.
    Unordered,
}

/// Optional filters.
pub trait FilterSome: Sized {
    /// Adds the condition if there is a value.
    fn filter_some<V, P>(self, value: Option<V>, condition: impl FnOnce(V) -> P) -> Self
    where
        Self: FilterDsl<P, Output = Self>,
    {
        match value {
            Some(value) => self.filter(condition(value)),
            None => self,
        }
    }
}

impl<Q> FilterSome for Q {}

/// Limits rows to the filter's date range.
pub trait InDateRange<D>: Sized {
    /// Adds the conditions that the filter sets. Days are days in `zone`.
    fn in_date_range(self, date: D, filter: &Filter, zone: Tz) -> Self;
}

impl<Q, D> InDateRange<D> for Q
where
    D: ExpressionMethods + Expression<SqlType = diesel::sql_types::Timestamptz> + Copy,
    Q: FilterDsl<GtEq<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<Lt<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<LtEq<D, DateTime<Utc>>, Output = Q>,
{
    fn in_date_range(self, date: D, filter: &Filter, zone: Tz) -> Self {
        let query = self.filter_some(filter.date(FilterKey::DATE_FROM), |bound| date.ge(bound.start(zone)));
        match filter.date(FilterKey::DATE_TO).map(|bound| bound.end(zone)) {
            Some(Until::Before(moment)) => FilterDsl::filter(query, date.lt(moment)),
            Some(Until::NotAfter(moment)) => FilterDsl::filter(query, date.le(moment)),
            None => query,
        }
    }
}

/// Limits rows to the courses of a grant.
pub trait InCourses<C>: Sized {
    /// Adds the condition if the scope is limited.
    fn in_courses(self, course: C, scope: &CourseScope) -> Self;
}

impl<Q, C> InCourses<C> for Q
where
    C: ExpressionMethods,
    C::SqlType: diesel::sql_types::SqlType,
    Vec<i64>: diesel::expression::array_comparison::AsInExpression<C::SqlType>,
    Q: FilterDsl<EqAny<C, Vec<i64>>, Output = Q>,
{
    fn in_courses(self, course: C, scope: &CourseScope) -> Self {
        match scope {
            CourseScope::Any => self,
            CourseScope::Assigned(ids) => FilterDsl::filter(self, course.eq_any(ids.clone())),
        }
    }
}

/// Orders rows by keyset, in the stable order.
pub trait Ordered<D, I>: Sized {
    /// Orders the rows and starts at `seek`.
    fn ordered(self, date: D, id: I, seek: Seek) -> Self;
}

impl<Q, D, I> Ordered<D, I> for Q
where
    D: ExpressionMethods + Expression<SqlType = diesel::sql_types::Timestamptz> + Copy + NonAggregate,
    I: ExpressionMethods + Copy + NonAggregate,
    Q: OrderDsl<(Desc<D>, Desc<I>), Output = Q>
        + OrderDsl<(Asc<D>, Asc<I>), Output = Q>
        + FilterDsl<LtEq<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<GtEq<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<KeysetComparison<D, I>, Output = Q>,
{
    fn ordered(self, date: D, id: I, seek: Seek) -> Self {
        let compare = |direction, cursor| KeysetComparison { date, id, direction, cursor };
        match seek {
            Seek::First => OrderDsl::order(self, (date.desc(), id.desc())),
            Seek::After(cursor) => {
                let older = FilterDsl::filter(
                    FilterDsl::filter(self, date.le(cursor.at)),
                    compare(Direction::Older, cursor),
                );
                OrderDsl::order(older, (date.desc(), id.desc()))
            }
            Seek::Last => OrderDsl::order(self, (date.asc(), id.asc())),
            Seek::Before(cursor) => {
                let newer = FilterDsl::filter(
                    FilterDsl::filter(self, date.ge(cursor.at)),
                    compare(Direction::Newer, cursor),
                );
                OrderDsl::order(newer, (date.asc(), id.asc()))
            }
            Seek::Unordered => self,
        }
    }
}
