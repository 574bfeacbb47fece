//! What a GraphQL document may ask of us before anything of it runs.
//!
//! Depth and complexity are limited by the library. Before it comes to that, it visits a fragment once per spread and
//! one that nothing spreads as deep as it goes, so that a short document could keep it busy for days. Such documents
//! are refused here, before the library sees them; and so are the repetitions that it does not count.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::{Pos, Request, ServerError, ServerResult};
use domain::text::Phrase;

use crate::error::Error;

mod size;

use size::Size;

/// The most directives on one field.
pub const MAX_DIRECTIVES_A_FIELD: usize = 10;
/// The deepest nesting of selections, fragments spread out.
pub const MAX_NESTING: usize = 64;

/// A limit: what is limited, in Spanish and English, and to how many.
type Limit = (&'static str, &'static str, u64);

const OPERATIONS: Limit = ("operaciones", "operations", 20);
const FRAGMENTS: Limit = ("fragmentos", "fragments", 100);
const VARIABLES: Limit = ("variables", "variables", 100);
// From here on, what a fragment holds counts each time that it is spread.
const SELECTIONS: Limit = ("campos", "fields", 5_000);
const ROOT_FIELDS: Limit = ("campos de primer nivel", "fields at the top", 50);
const ALIASES: Limit = ("alias", "aliases", 50);
const ARGUMENTS: Limit = ("argumentos", "arguments", 1_000);
const DIRECTIVES: Limit = ("directivas", "directives", 100);
/// Each one may have the database read a whole table.
const TOTALS: Limit = ("totalCount", "totalCount", 10);

/// Adds the limits to a schema.
pub struct Limits;

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Check)
    }
}

struct Check;

#[async_graphql::async_trait::async_trait]
impl Extension for Check {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        // The library goes on with the document that was parsed here.
        let document = request.parsed_query()?;
        let size = Size::of_document(document).map_err(|_| {
            refused(Phrase::new(
                format!("El documento está demasiado anidado. Se aceptan hasta {MAX_NESTING} niveles."),
                format!("The document is nested too deep. Accepted: up to {MAX_NESTING} levels."),
            ))
        })?;
        for (number, (es, en, most)) in [
            (size.operations, OPERATIONS),
            (size.fragments, FRAGMENTS),
            (size.variables, VARIABLES),
            (size.root_fields, ROOT_FIELDS),
            (size.spread.selections, SELECTIONS),
            (size.spread.aliases, ALIASES),
            (size.spread.arguments, ARGUMENTS),
            (size.spread.directives, DIRECTIVES),
            (size.spread.totals, TOTALS),
        ] {
            if number > most {
                return Err(refused(Phrase::new(
                    format!("El documento lleva {number} {es}. Se aceptan hasta {most}."),
                    format!("The document has {number} {en}. Accepted: up to {most}."),
                )));
            }
        }
        next.run(ctx, request).await
    }
}

fn refused(message: Phrase) -> ServerError {
    async_graphql::Error::from(Error::TooComplex(message)).into_server_error(Pos::default())
}
