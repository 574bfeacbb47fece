//! What a GraphQL document may ask of us before anything of it runs.
//!
//! Its text is measured before it is parsed, since the parser goes down the stack for each bracket and takes hundreds of
//! bytes of memory for each of the document's. What was parsed is measured before the library validates it: the library
//! limits depth and complexity only after its rules have run, and some of them take time and memory that grow with the
//! product of two numbers of a document. A caller whom nobody vouches for may ask for less.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Pos, Request, ServerError, ServerResult, Variables};
use domain::text::Phrase;

use super::context::AuthState;
use crate::error::{Error, Result};

mod known_types;
mod limit;
mod repetition;
mod size;
mod text;
mod variable;

use size::Size;
use text::TextSize;

/// The most directives on one field.
pub const MAX_DIRECTIVES_A_FIELD: usize = 10;
/// The deepest nesting of selections, fragments spread out.
pub const MAX_NESTING: usize = 64;

/// Parses the document of a request once its text was measured, and keeps it for the library; the only way to parse one.
#[expect(clippy::disallowed_methods, reason = "the text was measured")]
pub fn parse(request: &mut Request, auth: AuthState) -> ServerResult<&ExecutableDocument> {
    check_text(&request.query, auth).map_err(refused)?;
    request.parsed_query()
}

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
        // A subscription's caller stands in its session.
        let auth = AuthState::in_data([&request.data, ctx.session_data]);
        let variables = std::mem::take(&mut request.variables);
        // The library goes on with the document that was parsed here.
        let document = parse(&mut request, auth)?;
        check_document(document, &variables, auth).map_err(refused)?;
        known_types::check(document, &ctx.schema_env.registry)?;
        request.variables = variables;
        next.run(ctx, request).await
    }
}

fn check_text(document: &str, auth: AuthState) -> Result<()> {
    let TextSize { bytes, open_brackets, longest_name } = TextSize::of(document);
    limit::BYTES.check(bytes, auth)?;
    limit::OPEN_BRACKETS.check(open_brackets, auth)?;
    limit::NAME_BYTES.check(longest_name, auth)
}

fn check_document(document: &ExecutableDocument, variables: &Variables, auth: AuthState) -> Result<()> {
    let size = Size::of_document(document).map_err(|_| {
        Error::TooComplex(Phrase::new(
            format!("El documento está demasiado anidado. Se aceptan hasta {MAX_NESTING} niveles."),
            format!("The document is nested too deep. Accepted: up to {MAX_NESTING} levels."),
        ))
    })?;
    for (number, limit) in [
        (size.operations, limit::OPERATIONS),
        (size.fragments, limit::FRAGMENTS),
        (size.variables, limit::VARIABLES),
        (size.root_fields, limit::ROOT_FIELDS),
        (size.spread.selections, limit::SELECTIONS),
        (size.spread.aliases, limit::ALIASES),
        (size.spread.arguments, limit::ARGUMENTS),
        (size.spread.most_arguments, limit::ARGUMENTS_OF_ONE),
        (size.spread.directives, limit::DIRECTIVES),
        (size.spread.totals, limit::TOTALS),
        (size.spread.nested_fragments, limit::NESTED_FRAGMENTS),
        (size.spread.variable_uses, limit::VARIABLE_USES),
    ] {
        limit.check(number, auth)?;
    }
    // What these two take is bounded by the numbers above.
    limit::REPETITIONS.check(repetition::of_document(document), auth)?;
    limit::REPEATED_VARIABLE_BYTES.check(variable::repeated_bytes(document, variables), auth)
}

fn refused(error: Error) -> ServerError {
    async_graphql::Error::from(error).into_server_error(Pos::default())
}
