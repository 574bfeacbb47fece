//! Player events counted by time and kind, for charts.

use chrono::{DateTime, Datelike as _, Days, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::Grant;
use domain::filter::DateBound;
use domain::text::Phrase;

use super::fragment::{Counts, Ends};
use super::{Seek, Source as _};
use crate::error::{Error, Result};
use crate::models::video_player_event::VideoPlayerEvent;

/// A stretch of time by which events are counted, on the hub's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// A whole hour.
    Hour,
    /// A whole day.
    Day,
    /// A whole week from Monday on.
    Week,
}

/// How often one kind of event happened in one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// When the bucket begins.
    pub start: DateTime<Utc>,
    /// The kind of event.
    pub event: String,
    /// How often.
    pub count: i64,
}

/// The most buckets from the first event to the last: four years of days, or two months of hours.
pub const MOST_BUCKETS: usize = 1_500;
/// The most counts: kinds of events are named by players, and may be many.
const MOST_COUNTS: usize = 20_000;

/// Counts the events that the grant gives leave to read, oldest first, then by kind; what did not happen is left out.
///
/// A range of too many buckets is an error with the field `bucket`.
pub async fn player_events(
    conn: &mut AsyncPgConnection,
    grant: &Grant,
    zone: Tz,
    bucket: Bucket,
) -> Result<Vec<EventCount>> {
    let query = || VideoPlayerEvent::query(grant, zone, Seek::Anywhere);
    let ends = RunQueryDsl::get_result(Ends(query()), conn).await?;
    let (Some(first), Some(last)): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = ends else {
        return Ok(Vec::new());
    };
    let mut starts = bucket.starts(first, last, zone).ok_or_else(too_many_buckets)?;
    let end = starts.pop().unwrap_or(last);
    let most = i64::try_from(MOST_COUNTS + 1).unwrap_or(i64::MAX);
    let counts = Counts { query: query(), starts: &starts, end, most };
    let counts: Vec<(i32, String, i64)> = RunQueryDsl::load(counts, conn).await?;
    if counts.len() > MOST_COUNTS {
        return Err(too_many_counts());
    }
    let counted = |(place, event, count): (i32, String, i64)| {
        let place = usize::try_from(place).ok()?.checked_sub(1)?;
        Some(EventCount { start: *starts.get(place)?, event, count })
    };
    Ok(counts.into_iter().filter_map(counted).collect())
}

impl Bucket {
    /// When the buckets begin that hold these moments and all between, and when the last one ends; nothing when there
    /// are too many.
    fn starts(self, first: DateTime<Utc>, last: DateTime<Utc>, zone: Tz) -> Option<Vec<DateTime<Utc>>> {
        let mut starts = vec![self.start(first, zone)?];
        while let Some(start) = starts.last().filter(|start| **start <= last) {
            if starts.len() > MOST_BUCKETS {
                return None;
            }
            starts.push(self.next(*start, zone)?);
        }
        Some(starts)
    }

    /// When the bucket of a moment begins.
    fn start(self, moment: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = moment.with_timezone(&zone);
        let day = local.date_naive();
        let start = |day| DateBound::Day(day).start(zone);
        match self {
            Self::Hour => {
                let into_it = i64::from(local.minute() * 60 + local.second());
                let second = DateTime::from_timestamp(moment.timestamp(), 0)?;
                second.checked_sub_signed(TimeDelta::seconds(into_it))
            }
            Self::Day => Some(start(day)),
            Self::Week => {
                let monday = Days::new(local.weekday().num_days_from_monday().into());
                Some(start(day.checked_sub_days(monday)?))
            }
        }
    }

    /// When the bucket behind the one that begins here does.
    fn next(self, start: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let days = match self {
            // Also where the clock is moved by half an hour, this is behind the start.
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
            "Son más de {MOST_BUCKETS} intervalos. Elige uno más largo (DAY, WEEK) o acorta las fechas con dateFrom y dateTo."
        ),
        format!(
            "These are more than {MOST_BUCKETS} buckets. Take a longer one (DAY, WEEK), or shorten the range by dateFrom and \
             dateTo."
        ),
    );
    Error::invalid("bucket", message)
}

fn too_many_counts() -> Error {
    let message = Phrase::new(
        format!(
            "Son más de {MOST_COUNTS} cuentas. Elige un intervalo más largo, fechas más cortas o un evento."
        ),
        format!(
            "These are more than {MOST_COUNTS} counts. Take a longer bucket, a shorter range or one kind of event."
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
    fn a_bucket_begins_as_the_hubs_clock_says() {
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
    fn a_day_that_begins_late_or_twice_is_one_day() {
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
    fn too_many_buckets_are_none() {
        let moment = DateTime::UNIX_EPOCH;
        let hours = |hours| {
            Bucket::Hour.starts(moment, moment + TimeDelta::hours(hours), Tz::UTC).map(|starts| starts.len())
        };
        assert_eq!(hours(1_499), Some(1_501));
        assert_eq!(hours(1_500), None);
    }
}
