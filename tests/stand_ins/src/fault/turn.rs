//! Whether it is a request's turn to be struck.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::When;

/// What a rule remembers of the requests before.
#[derive(Debug, Default)]
pub(super) struct Turns {
    bucket: Option<Bucket>,
    /// How often each draw was made before.
    draws: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Turns {
    /// Whether the request with this number is to be struck; a draw is made for the seed, the rule's place and the events.
    pub(super) fn is_next(&mut self, when: &When, number: u64, draw: (u64, usize, &[String])) -> bool {
        match when {
            When::Always => true,
            When::Nth(numbers) => numbers.contains(&number),
            When::EveryKth(k) => number.is_multiple_of(*k),
            When::Chance(chance) => self.draw(*chance, draw),
            When::OverRate { capacity, per_second } => !self.take_token(f64::from(*capacity), *per_second),
        }
    }

    fn draw(&mut self, chance: f64, draw: (u64, usize, &[String])) -> bool {
        let mut hasher = DefaultHasher::new();
        draw.hash(&mut hasher);
        let hash = hasher.finish();
        let before = self.draws.entry(hash).or_default();
        let mut random = ChaCha8Rng::seed_from_u64(hash);
        random.set_stream(*before);
        *before += 1;
        random.random_bool(chance)
    }

    fn take_token(&mut self, capacity: f64, per_second: f64) -> bool {
        let now = Instant::now();
        let bucket = self.bucket.get_or_insert(Bucket { tokens: capacity, filled: now });
        let gained = now.duration_since(bucket.filled).as_secs_f64() * per_second;
        bucket.tokens = (bucket.tokens + gained).min(capacity);
        bucket.filled = now;
        let is_there = bucket.tokens >= 1.0;
        if is_there {
            bucket.tokens -= 1.0;
        }
        is_there
    }
}
