//! Orders of practice packs.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::dataset::FilterKey;
use domain::dataset::practice_package_orders::USER_ID;
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::date_bound::DateBound;
use crate::db::schema::practice_package_orders as orders;
use crate::db::schema::{courses, lessons, practice_packages as packages};
use crate::error::{Result, SharedError};
use crate::id::Id;
use crate::models::user_email::{optional_user_email, user_email};
use crate::source::{
    BoxedQuery, Cursor, FilterSome as _, InCourses as _, InDateRange as _, Ordered as _, Seek, Source,
};

/// An order of a practice pack.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = orders)]
#[diesel(base_query = orders::table.inner_join(
    packages::table.left_join(lessons::table.left_join(courses::table)),
))]
#[graphql(complex)]
pub struct PracticePackageOrder {
    /// ID of the order.
    pub id: Id,
    /// ID of the student.
    pub user_id: Id,
    /// ID of the pack.
    pub practice_package_id: Id,
    /// Title of the pack.
    #[diesel(select_expression = packages::title)]
    pub package_title: String,
    /// ID of the pack's creator.
    #[diesel(select_expression = packages::creator_id.nullable())]
    pub teacher_id: Option<Id>,
    /// ID of the course of the pack's lesson.
    #[diesel(select_expression = courses::id.nullable())]
    pub course_id: Option<Id>,
    /// Slug of the course.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// ID of the pack's lesson.
    #[diesel(select_expression = packages::lesson_id)]
    pub lesson_id: Option<Id>,
    /// `pending`, `paid`, `cancelled` or `completed`.
    pub status: String,
    /// Sessions left.
    pub sessions_remaining: i32,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// Reference of the payment at the payment provider.
    pub payment_reference: Option<String>,
    /// When the order was placed.
    pub created_at: DateTime<Utc>,
    /// When the order was last changed.
    pub updated_at: DateTime<Utc>,
    /// Additional data from the platform.
    pub meta: Option<Value>,
}

/// Filter of `PracticePackageOrder` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct PracticePackageOrderFilter {
    /// Rows at or after this date or time.
    date_from: Option<DateBound>,
    /// Rows at or before this date or time. A date includes the whole day.
    date_to: Option<DateBound>,
    /// Rows of this course.
    course_id: Option<ID>,
    /// Rows of this lesson. If a course is given too, the lesson must belong to it.
    lesson_id: Option<ID>,
    /// Rows with this status.
    status: Option<String>,
    /// Rows of this practice pack.
    practice_package_id: Option<ID>,
    /// Rows of this student.
    user_id: Option<ID>,
}

impl Source for PracticePackageOrder {
    const DATASET: Dataset = Dataset::PracticePackageOrders;
    const TABLE: &'static str = "practice_package_orders";
    const HIDDEN: &'static [&'static str] = &["purchase_recorded_at"];
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
    type Filter = PracticePackageOrderFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .in_date_range(orders::created_at, filter, zone)
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| lessons::course_id.nullable().eq(id))
            .filter_some(filter.id(FilterKey::LESSON_ID), |id| packages::lesson_id.eq(id))
            .filter_some(filter.text(FilterKey::STATUS), |status| orders::status.eq(status))
            .filter_some(filter.id(FilterKey::PRACTICE_PACKAGE_ID), |id| orders::practice_package_id.eq(id))
            .filter_some(filter.id(USER_ID), |id| orders::user_id.eq(id))
            .in_courses(lessons::course_id.nullable(), grant.courses())
            .filter_some(grant.person(), |id| orders::user_id.eq(id))
            .ordered(orders::created_at, orders::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl PracticePackageOrder {
    /// E-mail address of the student.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<String, SharedError> {
        user_email(ctx, self.user_id).await
    }

    /// E-mail address of the pack's creator.
    async fn teacher_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_user_email(ctx, self.teacher_id).await
    }
}
