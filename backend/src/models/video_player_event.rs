//! What the video player reported.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use domain::{Dataset, Grant};
use serde_json::Value;

use crate::db::schema::video_player_events as events;
use crate::id::Id;
use crate::source::{
    Boxed, Cursor, FilterSome as _, InCourses as _, Ordered as _, Seek, Source, Within as _,
};

/// One event that the video player reported.
#[derive(Debug, HasQuery, SimpleObject)]
#[diesel(table_name = events)]
#[graphql(complex)]
pub struct VideoPlayerEvent {
    /// Identifies the event.
    pub id: Id,
    /// When it happened, by the player's clock within limits.
    pub recorded_at: DateTime<Utc>,
    /// The person who watched; null when nobody was signed in or their data was erased.
    pub user_id: Option<Id>,
    /// The lesson's course.
    pub course_id: Option<Id>,
    /// The lesson that was playing.
    pub lesson_id: Option<Id>,
    /// What happened: `play`, `pause`, `seek`, `progress_tick`, or another name of letters, digits, `.`, `_` and `-`.
    pub event: String,
    /// Where the video comes from: `youtube`, `vimeo`, `cloudflare` or another name.
    pub provider: Option<String>,
    /// Position in the video, in seconds.
    pub playback_seconds: i32,
    /// Seconds watched so far.
    pub watched_seconds: i32,
    /// Length of the video, in seconds.
    pub video_duration: Option<i32>,
    /// Speed of playback; 1 is normal.
    pub playback_rate: f64,
    /// The part of the page that it happened in.
    pub context_tag: String,
    /// Whatever else the player said.
    pub metadata: Option<Value>,
    /// When every enabled analytics driver had its final verdict; null while any owes one.
    pub synced_at: Option<DateTime<Utc>>,
}

impl Source for VideoPlayerEvent {
    const DATASET: Dataset = Dataset::VideoPlayerEvents;
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
    type Query = Boxed<Self>;

    fn query(grant: &Grant, zone: Tz, seek: Seek) -> Boxed<Self> {
        let filter = grant.filter();
        <Self as HasQuery<_>>::query()
            .into_boxed()
            .within(events::recorded_at, filter, zone)
            .filter_some(filter.course_id, |id| events::course_id.eq(id))
            .filter_some(filter.lesson_id, |id| events::lesson_id.eq(id))
            .filter_some(filter.event.clone(), |event| events::event.eq(event))
            .filter_some(filter.provider.clone(), |provider| events::provider.eq(provider))
            .in_courses(events::course_id, grant.courses())
            .ordered(events::recorded_at, events::id, seek)
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.recorded_at, id: self.id.0 }
    }
}
