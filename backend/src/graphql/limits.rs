//! What a GraphQL document may ask of us before anything of it runs.
//!
//! Depth, complexity and directives are limited by the library. It visits a fragment once per spread, so a short
//! document can make it visit billions of fields; and it does not count aliases. Both are limited here, first.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{ErrorExtensionValues, Name, Pos, ServerError, ServerResult, Variables};
use domain::failure::ErrorCode;

/// The most aliases in a document, spreads counted each time.
pub const MAX_ALIASES: u64 = 50;
/// The most fields in a document, spreads counted each time.
pub const MAX_FIELDS: u64 = 5_000;
/// The most directives on one field.
pub const MAX_DIRECTIVES: usize = 10;
/// The deepest recursion of the parser.
pub const MAX_RECURSION: usize = 64;

/// Adds the limits to a schema.
pub struct Limits;

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Limit)
    }
}

struct Limit;

#[async_graphql::async_trait::async_trait]
impl Extension for Limit {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        let size = Size::of_document(&document);
        if size.aliases > MAX_ALIASES {
            return Err(too_complex(format!("Too many aliases. Accepted: up to {MAX_ALIASES}.")));
        }
        if size.fields > MAX_FIELDS {
            return Err(too_complex(format!("Too many fields. Accepted: up to {MAX_FIELDS}.")));
        }
        Ok(document)
    }
}

fn too_complex(message: String) -> ServerError {
    let mut error = ServerError::new(message, Some(Pos::default()));
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", ErrorCode::TooComplex.as_str());
    error.extensions = Some(extensions);
    error
}

/// How much a document holds once its fragments are spread out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    fields: u64,
    aliases: u64,
}

impl Size {
    fn of_document(document: &ExecutableDocument) -> Self {
        let mut known = HashMap::new();
        let operations = document.operations.iter();
        operations.fold(Self::default(), |size, (_, operation)| {
            size.plus(Self::of_set(&operation.node.selection_set.node, document, &mut known))
        })
    }

    fn of_set<'a>(
        set: &'a SelectionSet,
        document: &'a ExecutableDocument,
        known: &mut HashMap<&'a Name, Self>,
    ) -> Self {
        set.items.iter().fold(Self::default(), |size, selection| {
            size.plus(match &selection.node {
                Selection::Field(field) => {
                    let own = Self { fields: 1, aliases: u64::from(field.node.alias.is_some()) };
                    own.plus(Self::of_set(&field.node.selection_set.node, document, known))
                }
                Selection::InlineFragment(fragment) => {
                    Self::of_set(&fragment.node.selection_set.node, document, known)
                }
                Selection::FragmentSpread(spread) => {
                    Self::of_fragment(&spread.node.fragment_name.node, document, known)
                }
            })
        })
    }

    /// A fragment is measured once; one that spreads itself counts as empty there, and validation refuses it later.
    fn of_fragment<'a>(
        name: &'a Name,
        document: &'a ExecutableDocument,
        known: &mut HashMap<&'a Name, Self>,
    ) -> Self {
        if let Some(size) = known.get(name) {
            return *size;
        }
        let Some(fragment) = document.fragments.get(name) else { return Self::default() };
        known.insert(name, Self::default());
        let size = Self::of_set(&fragment.node.selection_set.node, document, known);
        known.insert(name, size);
        size
    }

    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn fragments_count_each_time_they_are_spread() {
        let mut query = String::from("{ ...f0 }");
        for level in 0..40 {
            query += &format!(" fragment f{level} on Query {{ ...f{} ...f{} }}", level + 1, level + 1);
        }
        query += " fragment f40 on Query { viewer { id } }";
        let size = Size::of_document(&parse_query(query).unwrap());
        assert_eq!(size.fields, 2 * (1 << 40));
    }

    #[test]
    fn a_fragment_that_spreads_itself_ends() {
        let document =
            parse_query("{ ...a } fragment a on Query { x ...b } fragment b on Query { ...a }").unwrap();
        assert_eq!(Size::of_document(&document), Size { fields: 1, aliases: 0 });
    }
}
