//! Limits on the size of a GraphQL document, checked before the document is parsed, validated and executed.
//!
//! The text is measured before it is parsed, because the parser recurses for each bracket and needs hundreds
//! of bytes of memory for each byte of the document. The parsed document is measured before the library
//! validates it. The library checks depth and complexity only after its validation rules, and the time and
//! memory of some rules grow with the product of two counts, such as operations and uses of variables.
//! Anonymous callers have lower limits.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Pos, Request, ServerError, ServerResult, Variables};
use domain::text::Phrase;

use super::context::AuthState;
use crate::error::{Error, Result};

mod known_types;
mod limit;
mod repeated_fields;
mod size;
mod text;
mod variable;

use size::Size;
use text::TextSize;

/// The maximum number of directives on a field.
pub const MAX_DIRECTIVES_PER_FIELD: usize = 10;
/// The maximum depth of nested selections, with all fragments expanded.
pub const MAX_NESTING: usize = 64;

/// Checks the text of a request's document, then parses it and stores the result in the request for the
/// library. No other code may parse documents.
#[expect(clippy::disallowed_methods, reason = "the text is measured first")]
pub fn parse(request: &mut Request, auth: AuthState) -> ServerResult<&ExecutableDocument> {
    check_text(&request.query, auth).map_err(server_error)?;
    request.parsed_query()
}

/// The type of the operation that a request executes. `None` if executing it returns an error: the document
/// exceeds a limit, is not valid GraphQL, or has several operations and the request names none of them.
pub fn executed_operation(request: &mut Request, auth: AuthState) -> Option<OperationType> {
    let name = request.operation_name.clone();
    let document = parse(request, auth).ok()?;
    let mut executed = document.operations.iter().filter(|(operation, _)| match &name {
        Some(name) => operation.is_some_and(|operation| operation == name),
        None => true,
    });
    let (_, operation) = executed.next()?;
    executed.next().is_none().then_some(operation.node.ty)
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
        // The caller of a subscription is in the session data.
        let auth = AuthState::in_data([&request.data, ctx.session_data]);
        let variables = std::mem::take(&mut request.variables);
        // The library uses the document that is parsed here.
        let document = parse(&mut request, auth)?;
        check_document(document, &variables, auth).map_err(server_error)?;
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
            format!("The document is nested too deeply. Accepted: up to {MAX_NESTING} levels."),
        ))
    })?;
    for (number, limit) in [
        (size.operations, limit::OPERATIONS),
        (size.fragments, limit::FRAGMENTS),
        (size.variables, limit::VARIABLES),
        (size.root_fields, limit::ROOT_FIELDS),
        (size.counts.selections, limit::SELECTIONS),
        (size.counts.aliases, limit::ALIASES),
        (size.counts.arguments, limit::ARGUMENTS),
        (size.counts.max_arguments, limit::ARGUMENTS_PER_FIELD),
        (size.counts.directives, limit::DIRECTIVES),
        (size.counts.totals, limit::TOTAL_COUNTS),
        (size.counts.nested_fragments, limit::NESTED_FRAGMENTS),
        (size.counts.variable_uses, limit::VARIABLE_USES),
    ] {
        limit.check(number, auth)?;
    }
    // The limits above bound the cost of these two checks.
    limit::REPEATED_FIELDS.check(repeated_fields::count(document), auth)?;
    limit::REPEATED_VARIABLE_BYTES.check(variable::repeated_bytes(document, variables), auth)
}

fn server_error(error: Error) -> ServerError {
    async_graphql::Error::from(error).into_server_error(Pos::default())
}
