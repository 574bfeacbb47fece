//! What a lane has in hand.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::unpoisoned;

/// The events that a lane has taken up and of which no verdict is written down yet; cheap to clone.
///
/// A query that began while an event was held may still find it owed when its verdict is written: so it is passed over by
/// what was held when the query began.
#[derive(Clone, Debug, Default)]
pub struct Held(Arc<Mutex<HashSet<i64>>>);

impl Held {
    /// Holds these too.
    pub fn take(&self, event_ids: impl IntoIterator<Item = i64>) {
        unpoisoned::lock(&self.0).extend(event_ids);
    }

    /// What becomes of these is written down.
    pub fn let_go(&self, event_ids: &[i64]) {
        let mut held = unpoisoned::lock(&self.0);
        for id in event_ids {
            held.remove(id);
        }
    }

    /// All that is held.
    pub fn now(&self) -> HashSet<i64> {
        unpoisoned::lock(&self.0).clone()
    }
}
