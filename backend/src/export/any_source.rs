//! A type-erased [`Source`], for code that only knows the dataset at run time.

use std::marker::PhantomData;

use chrono_tz::Tz;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::{Dataset, Grant};
use futures_util::future::BoxFuture;

use crate::models::dataset::{self, DatasetVisitor};
use crate::source::{Estimate, RawRows, ReadQuery as _, Seek, Source, estimate};

/// The object-safe counterpart of [`Source`].
pub trait AnySource: Send + Sync {
    /// See [`Source::FIELDS`].
    fn fields(&self) -> &'static [&'static str];

    /// See [`Source::EMAILS`].
    fn emails(&self) -> &'static [(&'static str, &'static str)];

    /// See [`estimate`].
    fn estimate<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &'a Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<Estimate>>;

    /// Streams all rows in the stable order.
    fn stream<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<RawRows<'a>>>;
}

struct TypedSource<S>(PhantomData<fn() -> S>);

impl<S: Source> AnySource for TypedSource<S> {
    fn fields(&self) -> &'static [&'static str] {
        S::FIELDS
    }

    fn emails(&self) -> &'static [(&'static str, &'static str)] {
        S::EMAILS
    }

    fn estimate<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &'a Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<Estimate>> {
        Box::pin(estimate::<S>(conn, grant, zone))
    }

    fn stream<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<RawRows<'a>>> {
        let query = S::query(grant, zone, Seek::First);
        Box::pin(query.stream(conn))
    }
}

/// Returns the source of a dataset.
pub fn of(dataset: Dataset) -> &'static dyn AnySource {
    dataset::visit(dataset, Erase)
}

struct Erase;

impl DatasetVisitor for Erase {
    type Output = &'static dyn AnySource;

    fn visit<S: Source>(self) -> Self::Output {
        &TypedSource::<S>(PhantomData)
    }
}
