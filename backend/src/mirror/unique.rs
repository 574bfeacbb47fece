//! Unique values, which the rows of one call may pass to each other.

use std::collections::{HashMap, HashSet};

use domain::Text;
use domain::text::Phrase;

use super::problem::Problem;

/// A field with a unique constraint.
pub struct Unique {
    pub field: &'static str,
    /// The error of a row whose value belongs to another row.
    pub taken_message: Text,
}

/// The result of resolving the unique values of one call.
#[derive(Debug, Default)]
pub struct Resolution {
    /// Rows whose value belongs to another row.
    pub problems: Vec<Problem>,
    /// Ids of stored rows whose value passes to another row of this call. Their values must be cleared first.
    pub to_vacate: Vec<i64>,
}

impl Unique {
    /// Decides which row gets each value. `requested` are the index, id and value of each row, and `owners` the
    /// ids of stored rows with these values.
    pub fn resolve(&self, requested: &[(usize, i64, &str)], owners: &[(i64, String)]) -> Resolution {
        let mut resolution = Resolution::default();
        let mut claims: HashMap<&str, (usize, i64)> = HashMap::new();
        for &(index, id, value) in requested {
            let (first, _) = *claims.entry(value).or_insert((index, id));
            if first != index {
                let message = Phrase::new(
                    format!("También lo usa input[{first}]."),
                    format!("Also used by input[{first}]."),
                );
                resolution.problems.push(Problem::new(index, self.field, message));
            }
        }
        let sent: HashSet<i64> = requested.iter().map(|(_, id, _)| *id).collect();
        for (owner, value) in owners {
            match claims.get(value.as_str()) {
                Some((_, claimant)) if claimant == owner => {}
                Some(_) if sent.contains(owner) => resolution.to_vacate.push(*owner),
                Some((index, _)) => {
                    resolution.problems.push(Problem::new(*index, self.field, self.taken_message))
                }
                None => {}
            }
        }
        resolution
    }
}
