//! The UTC offsets of a time zone.

use std::ops::Range;

use chrono::{DateTime, LocalResult, Offset as _, TimeZone as _};
use chrono_tz::Tz;

const DAY_SECONDS: i64 = 86_400;

/// Finds UTC offsets. Remembers the last one, since consecutive timestamps usually share it.
#[derive(Debug)]
pub struct ZoneOffsets {
    zone: Tz,
    /// The Unix times for which the offset is known: at most one day.
    known: Range<i64>,
    /// The offset at these times, in seconds.
    offset: i64,
    /// Whether the offset changes within a day before or after these times.
    is_near_change: bool,
}

impl ZoneOffsets {
    /// The offsets of this zone.
    pub const fn new(zone: Tz) -> Self {
        Self { zone, known: 0..0, offset: 0, is_near_change: false }
    }

    /// The zone.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The offset at a Unix time, in seconds.
    #[inline]
    pub fn at(&mut self, seconds: i64) -> i64 {
        if !self.known.contains(&seconds) {
            self.find(seconds);
        }
        self.offset
    }

    /// Whether no other moment has the same local time as this Unix time.
    pub fn is_local_time_unique(&mut self, seconds: i64) -> bool {
        let local = seconds + self.at(seconds);
        if !self.is_near_change {
            return true;
        }
        let local = DateTime::from_timestamp(local, 0).unwrap_or_default().naive_utc();
        matches!(self.zone.from_local_datetime(&local), LocalResult::Single(_))
    }

    fn find(&mut self, seconds: i64) {
        let start = seconds.div_euclid(DAY_SECONDS) * DAY_SECONDS;
        let end = start + DAY_SECONDS;
        self.offset = self.look_up(seconds);
        // An offset changes at most once in a day, which a test checks.
        let is_other = |time: i64| self.look_up(time) != self.offset;
        let (first_is_other, last_is_other) = (is_other(start), is_other(end - 1));
        let known_start = if first_is_other { boundary(start, seconds, is_other) } else { start };
        let known_end = if last_is_other { boundary(seconds, end, |time| !is_other(time)) } else { end };
        self.is_near_change = first_is_other
            || last_is_other
            || is_other(start - DAY_SECONDS)
            || is_other(end + DAY_SECONDS - 1);
        self.known = known_start..known_end;
    }

    fn look_up(&self, seconds: i64) -> i64 {
        let at = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
        self.zone.offset_from_utc_datetime(&at).fix().local_minus_utc().into()
    }
}

/// The first time in this range, or its end, that `is_before` does not hold for.
fn boundary(mut start: i64, mut end: i64, is_before: impl Fn(i64) -> bool) -> i64 {
    while start < end {
        let middle = start + (end - start) / 2;
        if is_before(middle) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    /// The start of 1970 and the end of 2037.
    const YEARS: Range<i64> = 0..2_145_916_800;

    fn exact(zone: Tz, seconds: i64) -> i64 {
        ZoneOffsets::new(zone).look_up(seconds)
    }

    /// The times at which the offset of a zone changes, found by looking every six hours.
    fn changes(zone: Tz) -> Vec<i64> {
        let step = DAY_SECONDS / 4;
        let mut changes = Vec::new();
        let mut last = exact(zone, YEARS.start);
        for end in (YEARS.start + step..YEARS.end).step_by(usize::try_from(step).unwrap()) {
            let offset = exact(zone, end);
            if offset != last {
                changes.push(boundary(end - step, end, |time| exact(zone, time) == last));
                last = offset;
            }
        }
        changes
    }

    #[test]
    fn offsets_around_each_change_are_right_second_by_second() {
        let mut found = 0;
        for zone in TZ_VARIANTS {
            let changes = changes(zone);
            found += changes.len();
            for pair in changes.windows(2) {
                assert!(pair[1] - pair[0] > DAY_SECONDS, "{zone} changes twice in a day at {}", pair[0]);
            }
            // Forwards and backwards, so that both ends of the known times are tried.
            let mut offsets = ZoneOffsets::new(zone);
            for change in changes {
                let around = (change - 90..change + 90).chain([change - DAY_SECONDS, change + DAY_SECONDS]);
                let around: Vec<i64> = around.collect();
                for &time in around.iter().chain(around.iter().rev()) {
                    assert_eq!(offsets.at(time), exact(zone, time), "{zone} at {time}");
                }
            }
        }
        assert!(found > 10_000, "{found}");
    }

    #[test]
    fn local_times_around_each_change_are_known_to_be_unique() {
        for zone in TZ_VARIANTS {
            let mut offsets = ZoneOffsets::new(zone);
            for change in changes(zone) {
                for time in (change - 2 * DAY_SECONDS..change + 2 * DAY_SECONDS).step_by(7_199) {
                    let local = time + exact(zone, time);
                    let local = DateTime::from_timestamp(local, 0).unwrap().naive_utc();
                    let is_unique = matches!(zone.from_local_datetime(&local), LocalResult::Single(_));
                    assert_eq!(offsets.is_local_time_unique(time), is_unique, "{zone} at {time}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn offsets_are_right_in_any_order(
            zone in prop::sample::select(&TZ_VARIANTS[..]),
            times in prop::collection::vec(-6_000_000_000_i64..10_000_000_000, 1..20),
        ) {
            let mut offsets = ZoneOffsets::new(zone);
            for time in times {
                prop_assert_eq!(offsets.at(time), exact(zone, time));
            }
        }
    }
}
