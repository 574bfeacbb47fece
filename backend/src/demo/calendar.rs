//! When things happen at the demo academy: in the evening rather than at night, on weekdays rather than at weekends.

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use rand::Rng;

/// How much of a day's study falls on each of its hours.
const HOURS: [u32; 24] = [3, 2, 1, 1, 1, 1, 2, 5, 8, 9, 10, 10, 9, 11, 12, 13, 14, 17, 22, 28, 30, 26, 16, 8];
/// The chance, in hundredths, that study planned for a weekend takes place on it.
const WEEKEND_CHANCE: u32 = 60;

/// The days around the present one.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// The present.
    pub now: DateTime<Utc>,
    /// Where the students live.
    pub zone: Tz,
}

impl Calendar {
    /// So many minutes into the day that is so many days from today.
    pub fn at(self, days: i64, minutes: i64) -> DateTime<Utc> {
        let day = self.now.with_timezone(&self.zone).date_naive() + TimeDelta::days(days);
        let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
        // No local time on the night when clocks are put forward: then UTC's is as good.
        self.zone
            .from_local_datetime(&local)
            .earliest()
            .map_or_else(|| local.and_utc(), |moment| moment.to_utc())
    }

    /// A moment for study within the last so many days, at least an hour ago.
    pub fn study_time(self, rng: &mut impl Rng, days: i64) -> DateTime<Utc> {
        loop {
            let day = -rng.random_range(0..days);
            let minutes = i64::from(hour(rng)) * 60 + rng.random_range(0..60);
            let moment = self.at(day, minutes) + TimeDelta::milliseconds(rng.random_range(0..60_000));
            let weekday = moment.with_timezone(&self.zone).weekday().num_days_from_monday();
            let skipped = weekday >= 5 && !rng.random_ratio(WEEKEND_CHANCE, 100);
            if !skipped && moment <= self.now - TimeDelta::hours(1) {
                return moment;
            }
        }
    }
}

fn hour(rng: &mut impl Rng) -> u32 {
    let mut left = rng.random_range(0..HOURS.iter().sum());
    let mut hour = 0;
    for weight in HOURS {
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
    fn evenings_see_more_study_than_nights() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let calendar = Calendar { now, zone: Tz::America__Bogota };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut evening, mut night) = (0, 0);
        for _ in 0..1000 {
            let moment = calendar.study_time(&mut rng, 60);
            assert!(moment < now && moment > now - TimeDelta::days(61));
            match chrono::Timelike::hour(&moment.with_timezone(&Tz::America__Bogota)) {
                18..=22 => evening += 1,
                0..=5 => night += 1,
                _ => {}
            }
        }
        assert!(evening > 5 * night, "{evening} and {night}");
    }
}
