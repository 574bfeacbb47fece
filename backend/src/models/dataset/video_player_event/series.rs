//! Player events counted by time and kind, for charts.

use async_graphql::Enum;
use chrono::{DateTime, Datelike as _, Days, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::Grant;
use domain::filter::DateBound;
use domain::text::Phrase;

use super::VideoPlayerEvent;
use crate::error::{Error, Result};
use crate::source::{BucketCounts, FirstAndLast, Seek, Source as _};

/// A time interval, in the hub's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "TimeBucket")]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day. It has 23, 24 or 25 hours.
    Day,
    /// A week that starts on Monday.
    Week,
}

/// The number of events of one kind in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// Start of the bucket.
    pub start: DateTime<Utc>,
    /// The kind of event.
    pub event: String,
    pub count: i64,
}

/// Maximum number of buckets from the first event to the last: four years of days, or two months of hours.
pub const MAX_BUCKETS: usize = 1_500;
/// Maximum number of counts. Players choose the names of events, so there may be many kinds.
const MAX_COUNTS: usize = 20_000;

/// Counts the events that the grant permits to read: by bucket, oldest first, then by kind. Counts of zero
/// are left out.
///
/// Too many buckets are an error with the field `bucket`.
pub async fn player_events(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: Tz,
    bucket: Bucket,
) -> Result<Vec<EventCount>> {
    let query = || VideoPlayerEvent::query(grant, zone, Seek::Unordered);
    let range = RunQueryDsl::get_result(FirstAndLast(query()), conn).await?;
    let (Some(first), Some(last)): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = range else {
        return Ok(Vec::new());
    };
    let mut starts = bucket.starts(first, last, zone).ok_or_else(too_many_buckets)?;
    let end = starts.pop().unwrap_or(last);
    let limit = i64::try_from(MAX_COUNTS + 1).unwrap_or(i64::MAX);
    let counts = BucketCounts { query: query(), starts: &starts, end, limit };
    let counts: Vec<(i32, String, i64)> = RunQueryDsl::load(counts, conn).await?;
    if counts.len() > MAX_COUNTS {
        return Err(too_many_counts());
    }
    let to_event_count = |(position, event, count): (i32, String, i64)| {
        let position = usize::try_from(position).ok()?.checked_sub(1)?;
        Some(EventCount { start: *starts.get(position)?, event, count })
    };
    Ok(counts.into_iter().filter_map(to_event_count).collect())
}

impl Bucket {
    /// The starts of the buckets from the first to the last of these moments, and the end of the last bucket.
    /// `None` if there are too many.
    fn starts(self, first: DateTime<Utc>, last: DateTime<Utc>, zone: Tz) -> Option<Vec<DateTime<Utc>>> {
        let mut starts = vec![self.start(first, zone)?];
        while let Some(start) = starts.last().filter(|start| **start <= last) {
            if starts.len() > MAX_BUCKETS {
                return None;
            }
            starts.push(self.next(*start, zone)?);
        }
        Some(starts)
    }

    /// The start of a moment's bucket.
    fn start(self, moment: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = moment.with_timezone(&zone);
        let day = local.date_naive();
        let start = |day| DateBound::Day(day).start(zone);
        match self {
            Self::Hour => {
                let seconds_into_hour = i64::from(local.minute() * 60 + local.second());
                let second = DateTime::from_timestamp(moment.timestamp(), 0)?;
                second.checked_sub_signed(TimeDelta::seconds(seconds_into_hour))
            }
            Self::Day => Some(start(day)),
            Self::Week => {
                let monday = Days::new(local.weekday().num_days_from_monday().into());
                Some(start(day.checked_sub_days(monday)?))
            }
        }
    }

    /// The start of the bucket after the one that starts here.
    fn next(self, start: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let days = match self {
            // This is after the start even if the clock is moved by half an hour.
            Self::Hour => return self.start(start.checked_add_signed(TimeDelta::hours(1))?, zone),
            Self::Day => 1,
            Self::Week => 7,
        };
        let day = start.with_timezone(&zone).date_naive().checked_add_days(Days::new(days))?;
        Some(DateBound::Day(day).start(zone))
    }
}

fn too_many_buckets() -> Error {
    let message = Phrase::new(
        format!(
            "Son más de {MAX_BUCKETS} intervalos. Elige uno más largo (DAY, WEEK) o acorta las fechas con dateFrom y dateTo."
        ),
        format!(
            "More than {MAX_BUCKETS} buckets. Choose a longer bucket (DAY, WEEK), or a shorter range with dateFrom and \
             dateTo."
        ),
    );
    Error::invalid("bucket", message)
}

fn too_many_counts() -> Error {
    let message = Phrase::new(
        format!(
            "Son más de {MAX_COUNTS} recuentos. Elige un intervalo más largo, fechas más cortas o un evento."
        ),
        format!(
            "More than {MAX_COUNTS} counts. Choose a longer bucket, a shorter range or one kind of event."
        ),
    );
    Error::invalid("bucket", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(bucket: Bucket, zone: Tz, first: &str, last: &str) -> Vec<String> {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let starts = bucket.starts(moment(first), moment(last), zone).unwrap();
        starts.iter().map(|start| start.with_timezone(&zone).format("%a %d %H:%M %z").to_string()).collect()
    }

    #[test]
    fn buckets_start_in_the_hubs_time_zone() {
        let madrid = Tz::Europe__Madrid;
        assert_eq!(
            starts(Bucket::Day, madrid, "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),
            ["Sun 25 00:00 +0200", "Mon 26 00:00 +0100"]
        );
        assert_eq!(
            starts(Bucket::Week, madrid, "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
            ["Mon 23 00:00 +0100", "Mon 30 00:00 +0200", "Mon 06 00:00 +0200"]
        );
        assert_eq!(
            starts(Bucket::Hour, madrid, "2026-10-25T00:10:00.5Z", "2026-10-25T01:10:00Z"),
            ["Sun 25 02:00 +0200", "Sun 25 02:00 +0100", "Sun 25 03:00 +0100"]
        );
        assert_eq!(
            starts(Bucket::Hour, Tz::Asia__Kathmandu, "2026-10-25T00:10:00Z", "2026-10-25T00:10:00Z"),
            ["Sun 25 05:00 +0545", "Sun 25 06:00 +0545"]
        );
    }

    #[test]
    fn a_day_with_no_midnight_or_two_is_one_bucket() {
        assert_eq!(
            starts(Bucket::Day, Tz::America__Santiago, "2024-09-07T12:00:00Z", "2024-09-08T12:00:00Z"),
            ["Sat 07 00:00 -0400", "Sun 08 01:00 -0300", "Mon 09 00:00 -0300"]
        );
        assert_eq!(
            starts(Bucket::Day, Tz::America__Havana, "2024-11-03T05:30:00Z", "2024-11-03T05:30:00Z"),
            ["Sun 03 00:00 -0400", "Mon 04 00:00 -0500"]
        );
    }

    #[test]
    fn too_many_buckets_return_none() {
        let moment = DateTime::UNIX_EPOCH;
        let hours = |hours| {
            Bucket::Hour.starts(moment, moment + TimeDelta::hours(hours), Tz::UTC).map(|starts| starts.len())
        };
        assert_eq!(hours(1_499), Some(1_501));
        assert_eq!(hours(1_500), None);
    }
}
