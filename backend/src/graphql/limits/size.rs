//! Measures a document as if its fragments were expanded, without expanding them.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::text::to_u64;
use super::{MAX_NESTING, variable};

/// The size of a document.
#[derive(Debug, Default)]
pub struct Size {
    pub operations: u64,
    pub fragments: u64,
    pub variables: u64,
    /// Of the operation with the most top-level fields.
    pub root_fields: u64,
    /// Of all operations, plus those of each fragment, which is validated separately too. Aliases and
    /// `totalCount` count only where a fragment is spread.
    pub counts: Counts,
}

/// The contents of a selection set, with fragments counted once for each spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fields and fragments. A spread costs time even if its fragment does not exist.
    pub selections: u64,
    pub aliases: u64,
    /// Of fields and directives.
    pub arguments: u64,
    /// Of the field or directive with the most arguments.
    pub max_arguments: u64,
    pub directives: u64,
    /// Fields named `totalCount`.
    pub totals: u64,
    /// Uses of variables in arguments.
    pub variable_uses: u64,
    /// The longest chain of fragments that are nested directly. A field between two fragments ends the chain.
    pub nested_fragments: u64,
    /// The longest such chain that starts at the top of the set.
    leading_fragments: u64,
    /// The fields at the top level.
    fields: u64,
    /// The number of levels.
    height: usize,
}

/// The document is nested deeper than [`MAX_NESTING`].
#[derive(Debug)]
pub struct TooDeep;

impl Size {
    /// Measures a document. Each fragment is measured once.
    pub fn of_document(document: &ExecutableDocument) -> Result<Self, TooDeep> {
        let mut measure = Measure { document, fragments: HashMap::new() };
        let mut size = Self { fragments: to_u64(document.fragments.len()), ..Self::default() };
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            let counts = measure.set(&operation.selection_set.node, 0)?;
            size.operations += 1;
            size.root_fields = size.root_fields.max(counts.fields);
            size.variables += to_u64(operation.variable_definitions.len());
            size.counts = size.counts.plus(counts).plus(Counts::of_directives(&operation.directives));
            for variable in &operation.variable_definitions {
                size.counts = size.counts.plus(Counts::of_directives(&variable.node.directives));
            }
        }
        for name in document.fragments.keys() {
            let counts = measure.fragment(name, 0)?;
            size.counts = size.counts.plus(Counts { aliases: 0, totals: 0, ..counts });
        }
        Ok(size)
    }
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a Name, Counts>,
}

impl<'a> Measure<'a> {
    /// Measures a set at this depth. Fails beyond the maximum depth without descending further.
    fn set(&mut self, set: &'a SelectionSet, depth: usize) -> Result<Counts, TooDeep> {
        if depth > MAX_NESTING {
            return Err(TooDeep);
        }
        let mut size = Counts::default();
        for selection in &set.items {
            let found = self.selection(&selection.node, depth + 1)?;
            if depth + 1 + found.height > MAX_NESTING {
                return Err(TooDeep);
            }
            size = size.plus(found).plus(Counts::of_directives(selection.node.directives()));
            size.selections = size.selections.saturating_add(1);
        }
        size.height += 1;
        Ok(size)
    }

    fn selection(&mut self, selection: &'a Selection, depth: usize) -> Result<Counts, TooDeep> {
        match selection {
            Selection::Field(field) => {
                let field = &field.node;
                let own = Counts {
                    aliases: u64::from(field.alias.is_some()),
                    totals: u64::from(field.name.node == "totalCount"),
                    ..Counts::of_arguments(&field.arguments)
                };
                let below = self.set(&field.selection_set.node, depth)?;
                Ok(Counts { fields: 1, leading_fragments: 0, ..own.plus(below) })
            }
            Selection::InlineFragment(fragment) => {
                Ok(self.set(&fragment.node.selection_set.node, depth)?.in_fragment())
            }
            Selection::FragmentSpread(spread) => {
                Ok(self.fragment(&spread.node.fragment_name.node, depth)?.in_fragment())
            }
        }
    }

    /// A fragment that spreads itself counts as empty there. Validation refuses it.
    fn fragment(&mut self, name: &'a Name, depth: usize) -> Result<Counts, TooDeep> {
        if let Some(size) = self.fragments.get(name) {
            return Ok(*size);
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Counts::default()) };
        self.fragments.insert(name, Counts::default());
        let size = self.set(&fragment.node.selection_set.node, depth)?;
        let size = size.plus(Counts::of_directives(&fragment.node.directives));
        self.fragments.insert(name, size);
        Ok(size)
    }
}

impl Counts {
    fn of_arguments(arguments: &[(Positioned<Name>, Positioned<Value>)]) -> Self {
        let mut variables = Vec::new();
        for (_, value) in arguments {
            variable::add_variables(&value.node, &mut variables);
        }
        let number = to_u64(arguments.len());
        Self {
            arguments: number,
            max_arguments: number,
            variable_uses: to_u64(variables.len()),
            ..Self::default()
        }
    }

    fn of_directives(directives: &[Positioned<Directive>]) -> Self {
        let own = Self { directives: to_u64(directives.len()), ..Self::default() };
        directives
            .iter()
            .fold(own, |size, directive| size.plus(Self::of_arguments(&directive.node.arguments)))
    }

    /// The counts of a fragment's set, as a part of the set around the fragment.
    fn in_fragment(self) -> Self {
        let leading_fragments = self.leading_fragments.saturating_add(1);
        Self { leading_fragments, nested_fragments: self.nested_fragments.max(leading_fragments), ..self }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            arguments: self.arguments.saturating_add(other.arguments),
            max_arguments: self.max_arguments.max(other.max_arguments),
            directives: self.directives.saturating_add(other.directives),
            totals: self.totals.saturating_add(other.totals),
            variable_uses: self.variable_uses.saturating_add(other.variable_uses),
            nested_fragments: self.nested_fragments.max(other.nested_fragments),
            leading_fragments: self.leading_fragments.max(other.leading_fragments),
            fields: self.fields.saturating_add(other.fields),
            height: self.height.max(other.height),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Parses a document without checking the limits.
    #[expect(clippy::disallowed_methods, reason = "these tests test the limits themselves")]
    pub fn parsed(document: &str) -> Result<ExecutableDocument, async_graphql::parser::Error> {
        async_graphql::parser::parse_query(document)
    }

    fn size(query: &str) -> Result<Size, TooDeep> {
        Size::of_document(&parsed(query).unwrap())
    }

    /// A document with this many levels of fragments. Each fragment spreads the next one twice.
    fn bomb(levels: u32) -> String {
        let level = |level| format!(" fragment f{level} on Query {{ ...f{} ...f{} }}", level + 1, level + 1);
        "{ ...f0 }".to_owned() + &(0..levels).map(level).collect::<String>()
    }

    #[test]
    fn fragments_count_each_time_they_are_spread() {
        let size = size(&(bomb(40) + " fragment f40 on Query { x: totalCount(y: 1) @z }")).unwrap();
        for number in [size.counts.aliases, size.counts.totals, size.counts.arguments, size.counts.directives]
        {
            assert!(number >= 1 << 40, "{size:?}");
        }
        assert_eq!(size.root_fields, 1 << 40);
    }

    #[test]
    fn spreads_count_even_if_the_fragment_is_missing() {
        assert!(size(&bomb(40)).unwrap().counts.selections > 1 << 40);
    }

    #[test]
    fn a_chain_of_fragments_counts_towards_the_depth_even_if_unused() {
        assert!(size(&bomb(60)).is_ok());
        size(&bomb(70)).unwrap_err();
        size(&bomb(2_000).replace("{ ...f0 }", "{ x }")).unwrap_err();
    }

    #[test]
    fn aliases_and_totals_of_a_fragment_count_only_where_it_is_spread() {
        let page = "fragment page on Query { x: totalCount }";
        let used = size(&format!("{{ ...page ...page }} {page}")).unwrap();
        assert_eq!((used.counts.aliases, used.counts.totals), (2, 2));
        let unused = size(&format!("{{ y }} {page}")).unwrap();
        assert_eq!((unused.counts.aliases, unused.counts.totals), (0, 0));
    }

    #[test]
    fn the_arguments_and_variables_of_directives_count_too() {
        let document = "query ($a: Int) @b(c: $a) { d(e: [$a {f: $a}]) @g(h: 1, i: $a) ...j } \
            fragment j on Query @k(l: 1, m: 2, n: $a) { o }";
        let Counts { arguments, max_arguments, variable_uses, .. } = size(document).unwrap().counts;
        // The fragment counts by itself and where it is spread.
        assert_eq!((arguments, max_arguments, variable_uses), (1 + 1 + 2 + 2 * 3, 3, 1 + 2 + 1 + 2));
    }

    #[test]
    fn nested_fragments_count_until_a_field_is_between_them() {
        let nested = |document| size(document).unwrap().counts.nested_fragments;
        assert_eq!(nested("{ a }"), 0);
        assert_eq!(nested("{ ... { ... on Query { a { ... { b } } } } ... { c } }"), 2);
        assert_eq!(nested("{ a { ... { ...f } } } fragment f on A { b ... { ... { c } } }"), 4);
    }

    #[test]
    fn measuring_cyclic_fragments_ends() {
        let size = size("{ ...a } fragment a on Query { x ...b } fragment b on Query { ...a }").unwrap();
        assert!(size.counts.selections < 20);
    }
}
