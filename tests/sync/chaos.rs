//! Random trouble: whatever fails and whenever the process is killed, in the end every event is where it belongs.
//!
//! A seed decides on the events, on which of them the services refuse, on the faults of each round and on the moments at
//! which the program is killed or frozen, or its database falls silent, goes away or is killed. What happens to fall together is up to the machine, so a seed that fails once may pass
//! the next time; what it claims is true of every course that it can take. `make chaos` runs more seeds.

mod reckoning;
mod storm;
mod trouble;
mod weather;
mod world;

use std::ops::Range;

use futures_util::{StreamExt as _, stream};

use self::storm::Storm;

/// So many tests share the seeds, so that they run side by side.
const SHARES: u64 = 5;

/// So many seeds of a share at once, since some are waiting for an answer that never comes.
const AT_ONCE: usize = 3;

#[tokio::test]
async fn all_ends_well_whatever_fails_first_share() {
    weather_the_share(0).await;
}

#[tokio::test]
async fn all_ends_well_whatever_fails_second_share() {
    weather_the_share(1).await;
}

#[tokio::test]
async fn all_ends_well_whatever_fails_third_share() {
    weather_the_share(2).await;
}

#[tokio::test]
async fn all_ends_well_whatever_fails_fourth_share() {
    weather_the_share(3).await;
}

#[tokio::test]
async fn all_ends_well_whatever_fails_fifth_share() {
    weather_the_share(4).await;
}

async fn weather_the_share(share: u64) {
    let storms =
        seeds().filter(|seed| seed % SHARES == share).map(async |seed| Storm::of(seed).await.weather().await);
    stream::iter(storms).buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// Fifty, or those of `CHAOS_SEEDS`: a number of them, or a range such as `17..18`.
fn seeds() -> Range<u64> {
    let Ok(wanted) = std::env::var("CHAOS_SEEDS") else { return 0..50 };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("CHAOS_SEEDS: {wanted}"));
    match wanted.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => 0..number(&wanted),
    }
}
