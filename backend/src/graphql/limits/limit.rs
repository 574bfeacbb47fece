//! How much of what a document may have.

use domain::text::{Phrase, Text};

use crate::error::{Error, Result};
use crate::graphql::context::AuthState;

/// A limit: what is limited, in Spanish and English, and how many of it there may be.
pub struct Limit {
    es: &'static str,
    en: &'static str,
    signed_in: u64,
    anonymous: u64,
}

const fn limit(es: &'static str, en: &'static str, signed_in: u64, anonymous: u64) -> Limit {
    Limit { es, en, signed_in, anonymous }
}

// Of the text.
pub const BYTES: Limit = limit("bytes sin contar las variables", "bytes, variables apart", 65_536, 65_536);
/// Each takes a piece of the parser's stack: 175 of them overflow a worker's 2 MiB in a build without optimisation.
pub const OPEN_BRACKETS: Limit = limit(
    "paréntesis, corchetes y llaves abiertos a la vez",
    "parentheses, brackets and braces open at once",
    64,
    64,
);
/// The library repeats names in its errors.
pub const NAME_BYTES: Limit = limit("bytes en un solo nombre", "bytes in a single name", 256, 256);

// Of what was parsed.
pub const OPERATIONS: Limit = limit("operaciones", "operations", 20, 5);
pub const FRAGMENTS: Limit = limit("fragmentos", "fragments", 100, 20);
pub const VARIABLES: Limit = limit("variables", "variables", 100, 20);

// From here on, what a fragment holds counts each time that it is spread.
pub const SELECTIONS: Limit = limit("campos", "fields", 5_000, 1_000);
pub const ROOT_FIELDS: Limit = limit("campos de primer nivel", "fields at the top", 50, 25);
pub const ALIASES: Limit = limit("alias", "aliases", 50, 25);
pub const ARGUMENTS: Limit = limit("argumentos", "arguments", 1_000, 100);
pub const ARGUMENTS_OF_ONE: Limit =
    limit("argumentos en un solo campo o directiva", "arguments of a single field or directive", 32, 16);
pub const DIRECTIVES: Limit = limit("directivas", "directives", 100, 20);
/// Each one may have the database read a whole table.
pub const TOTALS: Limit = limit("totalCount", "totalCount", 10, 10);
/// The library compares the fields within one with those around it at each level.
pub const NESTED_FRAGMENTS: Limit =
    limit("fragmentos uno dentro de otro", "fragments directly within each other", 16, 8);
/// The library compares each argument of the first field of a name with those of every field that repeats the name, and
/// reports each difference.
pub const REPETITIONS: Limit =
    limit("campos que repiten el nombre de otro a su lado", "fields that repeat a name beside them", 500, 50);
/// The library reports each one that is wrong, for each operation.
pub const VARIABLE_USES: Limit = limit("usos de variables", "uses of variables", 1_000, 100);
/// The library copies a variable's value at each use.
pub const REPEATED_VARIABLE_BYTES: Limit = limit(
    "bytes de variables usadas más de una vez",
    "bytes of variables used more than once",
    1 << 20,
    1 << 16,
);

impl Limit {
    /// Refuses what has more than this caller may ask for.
    pub fn check(&self, number: u64, auth: AuthState) -> Result<()> {
        let Self { es, en, signed_in, anonymous } = *self;
        let most = match auth {
            AuthState::SignedIn => signed_in,
            AuthState::Anonymous => anonymous,
        };
        if number <= most {
            return Ok(());
        }
        // Whoever may ask for more once they sign in should know it.
        let accepted = if most < signed_in {
            Text::new("Sin iniciar sesión se aceptan", "Accepted without signing in")
        } else {
            Text::new("Se aceptan", "Accepted")
        };
        Err(Error::TooComplex(Phrase::new(
            format!("El documento lleva {number} {es}. {} hasta {most}.", accepted.es),
            format!("The document has {number} {en}. {}: up to {most}.", accepted.en),
        )))
    }
}
