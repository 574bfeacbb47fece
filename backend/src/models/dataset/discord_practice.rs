//! Live practices on Discord.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use domain::dataset::FilterKey;
use domain::dataset::discord_practices::CREATOR_ID;
use domain::{Dataset, Grant};

use crate::date_bound::DateBound;
use crate::db::schema::discord_practices as practices;
use crate::db::schema::{courses, lessons, practice_packages as packages};
use crate::error::{Result, SharedError};
use crate::id::Id;
use crate::models::user_email::optional_user_email;
use crate::source::{
    BoxedQuery, Cursor, FilterSome as _, InCourses as _, InDateRange as _, Ordered as _, Seek, Source,
};

/// A live practice on Discord.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = practices)]
#[diesel(base_query = practices::table.inner_join(lessons::table.inner_join(courses::table)).left_join(packages::table))]
#[graphql(complex)]
pub struct DiscordPractice {
    /// ID of the practice.
    pub id: Id,
    /// ID of the lesson's course.
    #[diesel(select_expression = courses::id.nullable())]
    pub course_id: Option<Id>,
    /// Slug of the course.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// ID of the lesson.
    pub lesson_id: Id,
    /// Title of the lesson.
    #[diesel(select_expression = lessons::title.nullable())]
    pub lesson_title: Option<String>,
    /// Title of the practice.
    pub title: String,
    /// `cohort`, `global` or another name.
    #[diesel(column_name = type_)]
    #[graphql(name = "type")]
    pub kind: String,
    /// `scheduled`, `cancelled` or `completed`.
    pub status: String,
    /// When it starts.
    pub start_at: DateTime<Utc>,
    /// When it ends.
    pub end_at: Option<DateTime<Utc>>,
    /// Number of seats.
    pub capacity: i32,
    /// Number of reservations. Cancelled ones are not counted.
    #[diesel(select_expression = reservation_count(), select_expression_type = SqlLiteral<Integer>)]
    pub reservations: i32,
    /// Whether a reservation uses a session of a pack.
    pub requires_package: bool,
    /// ID of the pack that reservations use.
    pub practice_package_id: Option<Id>,
    /// Title of the pack.
    #[diesel(select_expression = packages::title.nullable())]
    pub package_title: Option<String>,
    /// ID of the creator.
    pub creator_id: Option<Id>,
    /// Cohort of the practice.
    pub cohort_label: Option<String>,
    /// URL of the Discord channel.
    pub discord_channel_url: Option<String>,
}

/// Reservations of the practice in the outer query that are not cancelled.
fn reservation_count() -> SqlLiteral<Integer> {
    sql("(SELECT count(*)::integer FROM discord_practice_reservations \
          WHERE practice_id = discord_practices.id AND status <> 'cancelled')")
}

/// Filter of `DiscordPractice` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct DiscordPracticeFilter {
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
    /// Rows of this type.
    #[graphql(name = "type")]
    kind: Option<String>,
    /// Rows created by this user.
    creator_id: Option<ID>,
}

impl Source for DiscordPractice {
    const DATASET: Dataset = Dataset::DiscordPractices;
    const TABLE: &'static str = "discord_practices";
    // The meeting token is a secret.
    const HIDDEN: &'static [&'static str] =
        &["created_at", "duration_minutes", "meeting_token", "updated_at"];
    const FIELDS: &'static [&'static str] = &[
        "practice_id",
        "course_id",
        "course_slug",
        "lesson_id",
        "lesson_title",
        "title",
        "type",
        "status",
        "start_at",
        "end_at",
        "capacity",
        "reservations",
        "requires_package",
        "practice_package_id",
        "package_title",
        "creator_id",
        "cohort_label",
        "discord_channel_url",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] = &[("creator_email", "creator_id")];
    type Filter = DiscordPracticeFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .in_date_range(practices::start_at, filter, zone)
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| lessons::course_id.eq(id))
            .filter_some(filter.id(FilterKey::LESSON_ID), |id| practices::lesson_id.eq(id))
            .filter_some(filter.text(FilterKey::STATUS), |status| practices::status.eq(status))
            .filter_some(filter.text(FilterKey::TYPE), |kind| practices::type_.eq(kind))
            .filter_some(filter.id(CREATOR_ID), |id| practices::creator_id.eq(id))
            .in_courses(lessons::course_id, grant.courses())
            .filter_some(grant.person(), |id| practices::creator_id.eq(id))
            .ordered(practices::start_at, practices::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.start_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl DiscordPractice {
    /// E-mail address of the creator.
    async fn creator_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_user_email(ctx, self.creator_id).await
    }
}
