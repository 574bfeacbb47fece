//! Orders of practice packs.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::db::schema::practice_package_orders as orders;
use crate::db::schema::{courses, lessons, practice_packages as packages};
use crate::id::Id;
use crate::source::{
    Boxed, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source, Within as _,
};

/// One order of a practice pack.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = orders)]
#[diesel(base_query = orders::table.inner_join(
    packages::table.left_join(lessons::table.left_join(courses::table)),
))]
#[graphql(complex)]
pub struct PracticePackageOrder {
    /// Identifies the order.
    pub id: Id,
    /// The student.
    pub user_id: Id,
    /// The pack.
    pub practice_package_id: Id,
    /// The pack's title.
    #[diesel(select_expression = packages::title)]
    pub package_title: String,
    /// The pack's creator.
    #[diesel(select_expression = packages::creator_id.nullable())]
    pub teacher_id: Option<Id>,
    /// The course of the pack's lesson.
    #[diesel(select_expression = courses::id.nullable())]
    pub course_id: Option<Id>,
    /// The course's short name in addresses.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// The pack's lesson.
    #[diesel(select_expression = packages::lesson_id)]
    pub lesson_id: Option<Id>,
    /// `pending`, `paid`, `cancelled` or `completed`.
    pub status: String,
    /// Sessions that are left.
    pub sessions_remaining: i32,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// The payment's name at the payment provider.
    pub payment_reference: Option<String>,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Whatever else the platform keeps with it.
    pub meta: Option<Value>,
}

impl Source for PracticePackageOrder {
    const DATASET: Dataset = Dataset::PracticePackageOrders;
    const FIELDS: &'static [&'static str] = &[
        "order_id",
        "user_id",
        "practice_package_id",
        "package_title",
        "teacher_id",
        "course_id",
        "course_slug",
        "lesson_id",
        "status",
        "sessions_remaining",
        "paid_at",
        "payment_reference",
        "created_at",
        "updated_at",
        "meta",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] =
        &[("user_email", "user_id"), ("teacher_email", "teacher_id")];
    type Query = Boxed<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .within(orders::created_at, filter, zone)
            .filter_some(filter.course_id, |id| lessons::course_id.nullable().eq(id))
            .filter_some(filter.lesson_id, |id| packages::lesson_id.eq(id))
            .filter_some(filter.status.clone(), |status| orders::status.eq(status))
            .filter_some(filter.practice_package_id, |id| orders::practice_package_id.eq(id))
            .filter_some(filter.user_id, |id| orders::user_id.eq(id))
            .in_courses(lessons::course_id.nullable(), grant.courses())
            .ordered(orders::created_at, orders::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}
