//! Events that the video player reported.

pub mod series;

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::dataset::FilterKey;
use domain::dataset::video_player_events::{EVENT, PROVIDER};
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::date_bound::DateBound;
use crate::db::schema::video_player_events as events;
use crate::error::{Result, SharedError};
use crate::id::Id;
use crate::models::user_email::optional_user_email;
use crate::source::{
    BoxedQuery, Cursor, FilterSome as _, InCourses as _, InDateRange as _, Ordered as _, Seek, Source,
};

/// An event reported by the video player.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = events)]
#[graphql(complex)]
pub struct VideoPlayerEvent {
    /// ID of the event.
    pub id: Id,
    /// When it happened, by the player's clock, corrected if that is wrong.
    pub recorded_at: DateTime<Utc>,
    /// ID of the viewer. Null for guests and for users whose data was erased.
    pub user_id: Option<Id>,
    /// ID of the lesson's course.
    pub course_id: Option<Id>,
    /// ID of the lesson.
    pub lesson_id: Option<Id>,
    /// Kind of event: `play`, `pause`, `seek`, `progress_tick`, or another name made of letters, digits, `.`, `_` and `-`.
    pub event: String,
    /// Video provider: `youtube`, `vimeo`, `cloudflare` or another name.
    pub provider: Option<String>,
    /// Position in the video, in seconds.
    pub playback_seconds: i32,
    /// Seconds watched so far.
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    pub video_duration: Option<i32>,
    /// Playback speed. 1 is normal.
    pub playback_rate: f64,
    /// Part of the page.
    pub context_tag: String,
    /// Additional data from the player.
    pub metadata: Option<Value>,
    /// When every enabled analytics driver had a final outcome. Null while a delivery is pending.
    pub synced_at: Option<DateTime<Utc>>,
}

/// Filter of `VideoPlayerEvent` rows. Fields that are not set match every row.
#[derive(Clone, Debug, Default, InputObject)]
pub struct VideoPlayerEventFilter {
    /// Rows at or after this date or time.
    date_from: Option<DateBound>,
    /// Rows at or before this date or time. A date includes the whole day.
    date_to: Option<DateBound>,
    /// Rows of this course.
    course_id: Option<ID>,
    /// Rows of this lesson. If a course is given too, the lesson must belong to it.
    lesson_id: Option<ID>,
    /// Rows of this kind of event.
    event: Option<String>,
    /// Rows of this video provider.
    provider: Option<String>,
}

impl Source for VideoPlayerEvent {
    const DATASET: Dataset = Dataset::VideoPlayerEvents;
    const TABLE: &'static str = "video_player_events";
    const HIDDEN: &'static [&'static str] = &["client_event_id", "created_at", "id"];
    const FIELDS: &'static [&'static str] = &[
        "id",
        "recorded_at",
        "user_id",
        "course_id",
        "lesson_id",
        "event",
        "provider",
        "playback_seconds",
        "watched_seconds",
        "video_duration",
        "playback_rate",
        "context_tag",
        "metadata",
        "synced_at",
    ];
    const EMAILS: &'static [(&'static str, &'static str)] = &[("user_email", "user_id")];
    type Filter = VideoPlayerEventFilter;
    type Query = BoxedQuery<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> BoxedQuery<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .in_date_range(events::recorded_at, filter, zone)
            .filter_some(filter.id(FilterKey::COURSE_ID), |id| events::course_id.eq(id))
            .filter_some(filter.id(FilterKey::LESSON_ID), |id| events::lesson_id.eq(id))
            .filter_some(filter.text(EVENT), |event| events::event.eq(event))
            .filter_some(filter.text(PROVIDER), |provider| events::provider.eq(provider))
            .in_courses(events::course_id, grant.courses())
            .filter_some(grant.person(), |id| events::user_id.eq(id))
            .ordered(events::recorded_at, events::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.recorded_at, id: self.id.0 }
    }
}

#[ComplexObject]
impl VideoPlayerEvent {
    /// E-mail address of the viewer.
    async fn user_email(&self, ctx: &Context<'_>) -> Result<Option<String>, SharedError> {
        optional_user_email(ctx, self.user_id).await
    }
}
