//! Conditions and orders that all datasets share, as methods on their queries.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::{Asc, Desc, EqAny, GtEq, Lt, LtEq};
use diesel::expression::{Expression, NonAggregate};
use diesel::prelude::*;
use diesel::query_dsl::methods::{FilterDsl, OrderDsl};
use domain::Filter;
use domain::access::CourseScope;
use domain::filter::Until;

use super::Cursor;
use super::fragment::{Beside, Side};

/// Which rows of the stable order (date, then id, both descending) are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// From the newest on.
    First,
    /// From the one behind this on.
    After(Cursor),
    /// From the oldest back.
    Last,
    /// From the one ahead of this back.
    Before(Cursor),
    /// All, in no order, for counting.
    Anywhere,
}

/// Filters that may be unset.
pub trait FilterSome: Sized {
    /// Adds the condition when there is a value.
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

/// Keeps rows inside the filter's range of time.
pub trait Within<D>: Sized {
    /// A day is a day in `zone`.
    fn within(self, date: D, filter: &Filter, zone: Tz) -> Self;
}

impl<Q, D> Within<D> for Q
where
    D: ExpressionMethods + Expression<SqlType = diesel::sql_types::Timestamptz> + Copy,
    Q: FilterDsl<GtEq<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<Lt<D, DateTime<Utc>>, Output = Q>
        + FilterDsl<LtEq<D, DateTime<Utc>>, Output = Q>,
{
    fn within(self, date: D, filter: &Filter, zone: Tz) -> Self {
        let query = self.filter_some(filter.date_from, |bound| date.ge(bound.start(zone)));
        match filter.date_to.map(|bound| bound.end(zone)) {
            Some(Until::Before(moment)) => FilterDsl::filter(query, date.lt(moment)),
            Some(Until::NotAfter(moment)) => FilterDsl::filter(query, date.le(moment)),
            None => query,
        }
    }
}

/// Keeps rows inside the courses that a grant is limited to.
pub trait InCourses<C>: Sized {
    /// Adds the condition when there is a limit.
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

/// Puts rows into the stable order.
pub trait Ordered<D, I>: Sized {
    /// From `seek` on.
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
        + FilterDsl<Beside<D, I>, Output = Q>,
{
    fn ordered(self, date: D, id: I, seek: Seek) -> Self {
        let beside = |side, cursor| Beside { date, id, side, cursor };
        match seek {
            Seek::First => OrderDsl::order(self, (date.desc(), id.desc())),
            Seek::After(cursor) => {
                let older = FilterDsl::filter(
                    FilterDsl::filter(self, date.le(cursor.at)),
                    beside(Side::Older, cursor),
                );
                OrderDsl::order(older, (date.desc(), id.desc()))
            }
            Seek::Last => OrderDsl::order(self, (date.asc(), id.asc())),
            Seek::Before(cursor) => {
                let newer = FilterDsl::filter(
                    FilterDsl::filter(self, date.ge(cursor.at)),
                    beside(Side::Newer, cursor),
                );
                OrderDsl::order(newer, (date.asc(), id.asc()))
            }
            Seek::Anywhere => self,
        }
    }
}
