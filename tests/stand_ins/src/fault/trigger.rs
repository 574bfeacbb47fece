//! Decides which of the requests that a rule selects get the fault.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::When;

/// The state of a rule's condition after earlier requests.
#[derive(Debug, Default)]
pub(super) struct TriggerState {
    bucket: Option<TokenBucket>,
    /// The number of earlier draws by the hash of their key.
    draws: HashMap<u64, u64>,
}

#[derive(Debug)]
struct TokenBucket {
    tokens: f64,
    refilled_at: Instant,
}

impl TriggerState {
    /// Whether the request with this number gets the fault. The key of a random draw is the seed, the rule's
    /// index and the events.
    pub(super) fn fires(&mut self, when: &When, number: u64, draw_key: (u64, usize, &[String])) -> bool {
        match when {
            When::Always => true,
            When::Nth(numbers) => numbers.contains(&number),
            When::EveryKth(k) => number.is_multiple_of(*k),
            When::Chance(chance) => self.draw(*chance, draw_key),
            When::OverRate { capacity, per_second } => !self.take_token(f64::from(*capacity), *per_second),
        }
    }

    fn draw(&mut self, chance: f64, key: (u64, usize, &[String])) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let earlier = self.draws.entry(hash).or_default();
        let mut rng = ChaCha8Rng::seed_from_u64(hash);
        rng.set_stream(*earlier);
        *earlier += 1;
        rng.random_bool(chance)
    }

    fn take_token(&mut self, capacity: f64, per_second: f64) -> bool {
        let now = Instant::now();
        let bucket = self.bucket.get_or_insert(TokenBucket { tokens: capacity, refilled_at: now });
        let added = now.duration_since(bucket.refilled_at).as_secs_f64() * per_second;
        bucket.tokens = (bucket.tokens + added).min(capacity);
        bucket.refilled_at = now;
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }
}
