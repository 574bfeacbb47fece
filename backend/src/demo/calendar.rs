//! When things happen at the demo academy: mostly in the evening and on weekdays.

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use rand::Rng;

/// The relative amount of study in each hour of the day.
const HOUR_WEIGHTS: [u32; 24] =
    [3, 2, 1, 1, 1, 1, 2, 5, 8, 9, 10, 10, 9, 11, 12, 13, 14, 17, 22, 28, 30, 26, 16, 8];
/// The probability, in percent, that study planned for a weekend takes place.
const WEEKEND_PERCENT: u32 = 60;

/// Calculates times relative to the present.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    pub now: DateTime<Utc>,
    /// The time zone of the students.
    pub zone: Tz,
}

impl Calendar {
    /// The time `minutes` after midnight on the day that is `days` from today.
    pub fn at(self, days: i64, minutes: i64) -> DateTime<Utc> {
        let day = self.now.with_timezone(&self.zone).date_naive() + TimeDelta::days(days);
        let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
        // The local time does not exist when clocks go forward. Then the UTC time will do.
        self.zone.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |time| time.to_utc())
    }

    /// A random time for study within the last `days` days, at least an hour ago.
    pub fn study_time(self, rng: &mut impl Rng, days: i64) -> DateTime<Utc> {
        loop {
            let day = -rng.random_range(0..days);
            let minutes = i64::from(random_hour(rng)) * 60 + rng.random_range(0..60);
            let time = self.at(day, minutes) + TimeDelta::milliseconds(rng.random_range(0..60_000));
            let weekday = time.with_timezone(&self.zone).weekday().num_days_from_monday();
            let skipped = weekday >= 5 && !rng.random_ratio(WEEKEND_PERCENT, 100);
            if !skipped && time <= self.now - TimeDelta::hours(1) {
                return time;
            }
        }
    }
}

/// A random hour by weight.
fn random_hour(rng: &mut impl Rng) -> u32 {
    let mut left = rng.random_range(0..HOUR_WEIGHTS.iter().sum());
    let mut hour = 0;
    for weight in HOUR_WEIGHTS {
        if left < weight {
            return hour;
        }
        left -= weight;
        hour += 1;
    }
    hour
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn there_is_more_study_in_the_evening_than_at_night() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let calendar = Calendar { now, zone: Tz::America__Bogota };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut evening, mut night) = (0, 0);
        for _ in 0..1000 {
            let time = calendar.study_time(&mut rng, 60);
            assert!(time < now && time > now - TimeDelta::days(61));
            match chrono::Timelike::hour(&time.with_timezone(&Tz::America__Bogota)) {
                18..=22 => evening += 1,
                0..=5 => night += 1,
                _ => {}
            }
        }
        assert!(evening > 5 * night, "{evening} and {night}");
    }
}
