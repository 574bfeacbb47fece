//! Values that only one row may have, and that rows of one call may hand to each other.

use std::collections::{HashMap, HashSet};

use domain::Text;
use domain::text::Phrase;

use super::batch::Problem;

/// A field whose value only one row may have.
pub struct Unique {
    /// The field.
    pub field: &'static str,
    /// What a row is told whose value another row has.
    pub taken: Text,
}

/// What became of the values of one call.
#[derive(Debug, Default)]
pub struct Settled {
    /// Rows whose value is another's.
    pub problems: Vec<Problem>,
    /// Ids of stored rows that give their value up to another row of this call, and must do so first.
    pub givers: Vec<i64>,
}

impl Unique {
    /// Settles who gets what: `wanted` are index, id and value of each row, `owners` the stored ids with these values.
    pub fn settle(&self, wanted: &[(usize, i64, &str)], owners: &[(i64, String)]) -> Settled {
        let mut settled = Settled::default();
        let mut takers: HashMap<&str, (usize, i64)> = HashMap::new();
        for &(index, id, value) in wanted {
            let (first, _) = *takers.entry(value).or_insert((index, id));
            if first != index {
                let message = Phrase::new(
                    format!("También lo pide input[{first}]."),
                    format!("It is wanted by input[{first}] as well."),
                );
                settled.problems.push(Problem::new(index, self.field, message));
            }
        }
        let sent: HashSet<i64> = wanted.iter().map(|(_, id, _)| *id).collect();
        for (owner, value) in owners {
            match takers.get(value.as_str()) {
                Some((_, taker)) if taker == owner => {}
                Some(_) if sent.contains(owner) => settled.givers.push(*owner),
                Some((index, _)) => settled.problems.push(Problem::new(*index, self.field, self.taken)),
                None => {}
            }
        }
        settled
    }
}
