//! Chaos tests: every event gets its expected outcome, whatever fails and whenever the process is killed.
//!
//! A seed determines the events, which of them the services refuse, the faults of each round, and the times
//! at which the program is killed or frozen, or its database stops responding, goes down or is killed. The
//! interleaving depends on the machine, so a seed that failed once may pass the next time. The assertions
//! hold for every interleaving. `make chaos` runs more seeds.

mod assertions;
mod disruption;
mod faults;
mod model;
mod runner;

use std::ops::Range;

use futures_util::{StreamExt as _, stream};

use self::runner::Runner;

/// The number of tests that the seeds are split over, so that they run in parallel.
const SHARDS: u64 = 5;

/// Seeds that a test runs concurrently. Some of them wait for responses that never arrive.
const MAX_CONCURRENT_SEEDS: usize = 3;

#[tokio::test]
async fn every_event_gets_its_expected_outcome_shard_0() {
    run_shard(0).await;
}

#[tokio::test]
async fn every_event_gets_its_expected_outcome_shard_1() {
    run_shard(1).await;
}

#[tokio::test]
async fn every_event_gets_its_expected_outcome_shard_2() {
    run_shard(2).await;
}

#[tokio::test]
async fn every_event_gets_its_expected_outcome_shard_3() {
    run_shard(3).await;
}

#[tokio::test]
async fn every_event_gets_its_expected_outcome_shard_4() {
    run_shard(4).await;
}

async fn run_shard(shard: u64) {
    let runs = seeds()
        .filter(|seed| seed % SHARDS == shard)
        .map(async |seed| Runner::new(seed).await.run_to_end().await);
    stream::iter(runs).buffer_unordered(MAX_CONCURRENT_SEEDS).collect::<()>().await;
}

/// The first 10 seeds, or those in `CHAOS_SEEDS`: a count, or a range such as `17..18`.
fn seeds() -> Range<u64> {
    let Ok(value) = std::env::var("CHAOS_SEEDS") else { return 0..10 };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("CHAOS_SEEDS: {value}"));
    match value.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => 0..number(&value),
    }
}
