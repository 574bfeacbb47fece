//! Player events counted by time and kind, for charts.

use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Dataset;

use super::filter::{self, VideoPlayerEventFilter};
use crate::error::Result;
use crate::graphql::context::ContextExt as _;
use crate::source::{self, series};

/// Player events in numbers.
#[derive(Default)]
pub struct SeriesQuery;

/// A stretch of time by which events are counted, in the hub's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "TimeBucket", remote = "series::Bucket")]
pub enum BucketName {
    /// A whole hour.
    Hour,
    /// A whole day, be it of 23, 24 or 25 hours.
    Day,
    /// A whole week from Monday on.
    Week,
}

/// How often one kind of event happened in one bucket.
#[derive(SimpleObject)]
pub struct EventCount {
    /// When the bucket begins.
    bucket_start: DateTime<Utc>,
    /// The kind of event.
    event: String,
    /// How often it happened, at least once.
    count: i32,
}

#[Object]
impl SeriesQuery {
    /// Player events counted per day (or hour, or week) and kind, under the same rules as `videoPlayerEvents`.
    ///
    /// Oldest bucket first, and by the name of the event in it; where nothing happened there is no count. From the
    /// first event that passes the filter to the last one there may be 1,500 buckets: two months of hours, four years
    /// of days. More are refused with BAD_USER_INPUT, naming `bucket`, and so are more than 20,000 counts.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "200 + 20 * child_complexity")]
    async fn player_event_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What events must pass; a Teacher Admin must name a course or lesson.")]
        filter: Option<VideoPlayerEventFilter>,
        #[graphql(desc = "By which stretch of time they are counted.", default_with = "BucketName::Day")]
        bucket: BucketName,
    ) -> Result<Vec<EventCount>> {
        let filter = filter::parse(Dataset::VideoPlayerEvents, filter)?;
        let mut conn = ctx.conn().await?;
        let grant =
            source::grant::to_read(&mut conn, ctx.viewer()?, Dataset::VideoPlayerEvents, filter).await?;
        let zone = ctx.app().config.hub.timezone;
        let counts = series::player_events(&mut conn, &grant, zone, bucket.into()).await?;
        Ok(counts.into_iter().map(EventCount::from).collect())
    }
}

impl From<series::EventCount> for EventCount {
    fn from(series::EventCount { start, event, count }: series::EventCount) -> Self {
        Self { bucket_start: start, event, count: i32::try_from(count).unwrap_or(i32::MAX) }
    }
}
