//! The limits, one constant for each.

use domain::text::{Phrase, Text};

use crate::error::{Error, Result};
use crate::graphql::context::AuthState;

/// A limit: the name of what is limited, in Spanish and English, and the maximum for each kind of caller.
pub struct Limit {
    es: &'static str,
    en: &'static str,
    signed_in: u64,
    anonymous: u64,
}

const fn limit(es: &'static str, en: &'static str, signed_in: u64, anonymous: u64) -> Limit {
    Limit { es, en, signed_in, anonymous }
}

// Limits on the text.

/// The length of the document.
pub const BYTES: Limit =
    limit("bytes sin contar las variables", "bytes, not counting variables", 65_536, 65_536);
/// The parser recurses for each one. In a debug build, 175 overflow a worker thread's stack of 2 MiB.
pub const OPEN_BRACKETS: Limit = limit(
    "paréntesis, corchetes y llaves abiertos a la vez",
    "parentheses, brackets and braces open at once",
    64,
    64,
);
/// The library repeats names in its errors.
pub const NAME_BYTES: Limit = limit("bytes en un solo nombre", "bytes in a single name", 256, 256);

// Limits on the parsed document.

/// Operations in the document, of which a request executes one.
pub const OPERATIONS: Limit = limit("operaciones", "operations", 20, 5);
/// Fragment definitions.
pub const FRAGMENTS: Limit = limit("fragmentos", "fragments", 100, 20);
/// Variable definitions of all operations.
pub const VARIABLES: Limit = limit("variables", "variables", 100, 20);

// For the limits below, the content of a fragment counts once for each spread.

/// Fields and fragments of all selection sets.
pub const SELECTIONS: Limit = limit("campos", "fields", 5_000, 1_000);
/// Top-level fields of one operation.
pub const ROOT_FIELDS: Limit = limit("campos de primer nivel", "top-level fields", 50, 25);
/// Fields with an alias.
pub const ALIASES: Limit = limit("alias", "aliases", 50, 25);
/// Arguments of all fields and directives.
pub const ARGUMENTS: Limit = limit("argumentos", "arguments", 1_000, 100);
/// Arguments of the field or directive with the most of them.
pub const ARGUMENTS_PER_FIELD: Limit =
    limit("argumentos en un solo campo o directiva", "arguments on a single field or directive", 32, 16);
/// Directives of all operations, fields and fragments.
pub const DIRECTIVES: Limit = limit("directivas", "directives", 100, 20);
/// Each one may read a whole table.
pub const TOTAL_COUNTS: Limit = limit("totalCount", "totalCount", 10, 10);
/// At each level, the library compares the fields inside a fragment with those around it.
pub const NESTED_FRAGMENTS: Limit =
    limit("fragmentos anidados directamente", "directly nested fragments", 16, 8);
/// The library compares the arguments of the first field with a name with those of all other fields with that
/// name, and reports each difference.
pub const REPEATED_FIELDS: Limit = limit(
    "campos que repiten el nombre de otro del mismo nivel",
    "fields that repeat a sibling's name",
    500,
    50,
);
/// The library reports each invalid use once per operation.
pub const VARIABLE_USES: Limit = limit("usos de variables", "uses of variables", 1_000, 100);
/// The library copies the value of a variable for each use.
pub const REPEATED_VARIABLE_BYTES: Limit = limit(
    "bytes de variables usadas más de una vez",
    "bytes of variables used more than once",
    1 << 20,
    1 << 16,
);

impl Limit {
    /// Returns an error if the number exceeds the limit for this caller.
    pub fn check(&self, number: u64, auth: AuthState) -> Result<()> {
        let Self { es, en, signed_in, anonymous } = *self;
        let max = match auth {
            AuthState::SignedIn => signed_in,
            AuthState::Anonymous => anonymous,
        };
        if number <= max {
            return Ok(());
        }
        // Says if signing in would raise the limit.
        let accepted = if max < signed_in {
            Text::new("Sin iniciar sesión se aceptan", "Accepted without signing in")
        } else {
            Text::new("Se aceptan", "Accepted")
        };
        Err(Error::TooComplex(Phrase::new(
            format!("El documento lleva {number} {es}. {} hasta {max}.", accepted.es),
            format!("The document has {number} {en}. {}: up to {max}.", accepted.en),
        )))
    }
}
