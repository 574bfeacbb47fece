//! Live practices on Discord.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use domain::{Dataset, Grant};

use crate::db::schema::discord_practices as practices;
use crate::db::schema::{courses, lessons, practice_packages as packages};
use crate::id::Id;
use crate::source::{
    Boxed, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source, Within as _,
};

/// One live practice on Discord.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = practices)]
#[diesel(base_query = practices::table.inner_join(lessons::table.inner_join(courses::table)).left_join(packages::table))]
#[graphql(complex)]
pub struct DiscordPractice {
    /// Identifies the practice.
    pub id: Id,
    /// The lesson's course.
    #[diesel(select_expression = courses::id.nullable())]
    pub course_id: Option<Id>,
    /// The course's short name in addresses.
    #[diesel(select_expression = courses::slug.nullable())]
    pub course_slug: Option<String>,
    /// The lesson that is practised.
    pub lesson_id: Id,
    /// The lesson's title.
    #[diesel(select_expression = lessons::title.nullable())]
    pub lesson_title: Option<String>,
    /// The practice's title.
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
    /// How many may take part.
    pub capacity: i32,
    /// How many hold a seat: cancelled reservations do not count.
    #[diesel(select_expression = seats_held(), select_expression_type = SqlLiteral<Integer>)]
    pub reservations: i32,
    /// Whether a seat costs a session of a pack.
    pub requires_package: bool,
    /// The pack that it takes.
    pub practice_package_id: Option<Id>,
    /// The pack's title.
    #[diesel(select_expression = packages::title.nullable())]
    pub package_title: Option<String>,
    /// Who made the practice.
    pub creator_id: Option<Id>,
    /// The group that it is for.
    pub cohort_label: Option<String>,
    /// Where it takes place.
    pub discord_channel_url: Option<String>,
}

/// Reservations of the practice at hand that are not cancelled.
fn seats_held() -> SqlLiteral<Integer> {
    sql("(SELECT count(*)::integer FROM discord_practice_reservations \
          WHERE practice_id = discord_practices.id AND status <> 'cancelled')")
}

impl Source for DiscordPractice {
    const DATASET: Dataset = Dataset::DiscordPractices;
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
    type Query = Boxed<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .within(practices::start_at, filter, zone)
            .filter_some(filter.course_id, |id| lessons::course_id.eq(id))
            .filter_some(filter.lesson_id, |id| practices::lesson_id.eq(id))
            .filter_some(filter.status.clone(), |status| practices::status.eq(status))
            .filter_some(filter.kind.clone(), |kind| practices::type_.eq(kind))
            .filter_some(filter.creator_id, |id| practices::creator_id.eq(id))
            .in_courses(lessons::course_id, grant.courses())
            .ordered(practices::start_at, practices::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.start_at, id: self.id.0 }
    }
}
