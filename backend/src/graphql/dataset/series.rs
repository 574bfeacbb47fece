//! Player events counted by time and kind, for charts.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::Dataset;

use super::filter;
use crate::auth::grant;
use crate::error::Result;
use crate::graphql::context::ContextExt as _;
use crate::models::dataset::video_player_event::VideoPlayerEventFilter;
use crate::models::dataset::video_player_event::series::{self, Bucket};

/// Counts of player events.
#[derive(Default)]
pub struct SeriesQuery;

/// The number of events of one kind in one bucket.
#[derive(SimpleObject)]
pub struct EventCount {
    /// Start of the bucket.
    bucket_start: DateTime<Utc>,
    /// Kind of event.
    event: String,
    /// Number of events, at least 1.
    count: i32,
}

#[Object]
impl SeriesQuery {
    /// Player events counted by kind and by hour, day or week, under the same rules as `videoPlayerEvents`.
    ///
    /// Sorted by bucket, oldest first, then by kind. Counts of zero are left out. At most 1,500 buckets from the first
    /// event to the last (two months of hours, four years of days) and at most 20,000 counts are returned. More are an
    /// error with the field `bucket`.
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = "200 + 20 * child_complexity")]
    async fn player_event_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only events that match this filter. Teacher Admins must filter by course or lesson."
        )]
        filter: Option<VideoPlayerEventFilter>,
        #[graphql(desc = "Length of a bucket.", default_with = "Bucket::Day")] bucket: Bucket,
    ) -> Result<Vec<EventCount>> {
        let viewer = ctx.viewer()?;
        let filter = filter::parse(Dataset::VideoPlayerEvents, filter)?;
        let mut conn = ctx.conn().await?;
        let grant = grant::to_read(&mut conn, viewer, Dataset::VideoPlayerEvents, filter).await?;
        let zone = ctx.app().config.hub.timezone;
        let counts = series::player_events(&mut conn, &grant, zone, bucket).await?;
        Ok(counts.into_iter().map(EventCount::from).collect())
    }
}

impl From<series::EventCount> for EventCount {
    fn from(series::EventCount { start, event, count }: series::EventCount) -> Self {
        Self { bucket_start: start, event, count: i32::try_from(count).unwrap_or(i32::MAX) }
    }
}
