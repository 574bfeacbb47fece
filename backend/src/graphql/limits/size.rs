//! How large a document is once its fragments are spread out, found without spreading them.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::{MAX_NESTING, variable};

/// How much a document holds.
#[derive(Debug, Default)]
pub struct Size {
    pub operations: u64,
    pub fragments: u64,
    pub variables: u64,
    /// Of the operation that has the most of them.
    pub root_fields: u64,
    /// All operations together, and as far as it is work to validate it, each fragment by itself too.
    pub spread: Spread,
}

/// How much a selection set holds, counted anew for each spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Fields and fragments; a spread is work even where nothing comes of it.
    pub selections: u64,
    pub aliases: u64,
    /// Of fields and of directives.
    pub arguments: u64,
    /// Of the field or the directive that has the most of them.
    pub most_arguments: u64,
    pub directives: u64,
    pub totals: u64,
    /// The uses of variables in arguments.
    pub variable_uses: u64,
    /// The fragments that stand directly within each other, where most do; a field between them ends the count.
    pub nested_fragments: u64,
    /// The same from the top on.
    fragments_at_top: u64,
    /// The fields at its top.
    fields: u64,
    /// The levels below it.
    height: usize,
}

/// The document is nested deeper than [`MAX_NESTING`].
#[derive(Debug)]
pub struct TooDeep;

impl Size {
    /// Measures each fragment once.
    pub fn of_document(document: &ExecutableDocument) -> Result<Self, TooDeep> {
        let mut measure = Measure { document, known: HashMap::new() };
        let mut size = Self { fragments: count(document.fragments.len()), ..Self::default() };
        for (_, operation) in document.operations.iter() {
            let operation = &operation.node;
            let spread = measure.set(&operation.selection_set.node, 0)?;
            size.operations += 1;
            size.root_fields = size.root_fields.max(spread.fields);
            size.variables += count(operation.variable_definitions.len());
            size.spread = size.spread.plus(spread).plus(Spread::of_directives(&operation.directives));
            for variable in &operation.variable_definitions {
                size.spread = size.spread.plus(Spread::of_directives(&variable.node.directives));
            }
        }
        for name in document.fragments.keys() {
            let spread = measure.fragment(name, 0)?;
            size.spread = size.spread.plus(Spread { aliases: 0, totals: 0, ..spread });
        }
        Ok(size)
    }
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    known: HashMap<&'a Name, Spread>,
}

impl<'a> Measure<'a> {
    /// A set at this depth; deeper than is accepted, it is not gone into.
    fn set(&mut self, set: &'a SelectionSet, depth: usize) -> Result<Spread, TooDeep> {
        if depth > MAX_NESTING {
            return Err(TooDeep);
        }
        let mut size = Spread::default();
        for selection in &set.items {
            let found = self.selection(&selection.node, depth + 1)?;
            if depth + 1 + found.height > MAX_NESTING {
                return Err(TooDeep);
            }
            size = size.plus(found).plus(Spread::of_directives(selection.node.directives()));
            size.selections = size.selections.saturating_add(1);
        }
        size.height += 1;
        Ok(size)
    }

    fn selection(&mut self, selection: &'a Selection, depth: usize) -> Result<Spread, TooDeep> {
        match selection {
            Selection::Field(field) => {
                let field = &field.node;
                let own = Spread {
                    aliases: u64::from(field.alias.is_some()),
                    totals: u64::from(field.name.node == "totalCount"),
                    ..Spread::of_arguments(&field.arguments)
                };
                let below = self.set(&field.selection_set.node, depth)?;
                Ok(Spread { fields: 1, fragments_at_top: 0, ..own.plus(below) })
            }
            Selection::InlineFragment(fragment) => {
                Ok(self.set(&fragment.node.selection_set.node, depth)?.within_a_fragment())
            }
            Selection::FragmentSpread(spread) => {
                Ok(self.fragment(&spread.node.fragment_name.node, depth)?.within_a_fragment())
            }
        }
    }

    /// One that spreads itself counts as empty there: validation refuses it by name.
    fn fragment(&mut self, name: &'a Name, depth: usize) -> Result<Spread, TooDeep> {
        if let Some(size) = self.known.get(name) {
            return Ok(*size);
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Spread::default()) };
        self.known.insert(name, Spread::default());
        let size = self.set(&fragment.node.selection_set.node, depth)?;
        let size = size.plus(Spread::of_directives(&fragment.node.directives));
        self.known.insert(name, size);
        Ok(size)
    }
}

impl Spread {
    fn of_arguments(arguments: &[(Positioned<Name>, Positioned<Value>)]) -> Self {
        let mut variables = Vec::new();
        for (_, value) in arguments {
            variable::in_value(&value.node, &mut variables);
        }
        let number = count(arguments.len());
        Self {
            arguments: number,
            most_arguments: number,
            variable_uses: count(variables.len()),
            ..Self::default()
        }
    }

    fn of_directives(directives: &[Positioned<Directive>]) -> Self {
        let none = Self { directives: count(directives.len()), ..Self::default() };
        directives
            .iter()
            .fold(none, |size, directive| size.plus(Self::of_arguments(&directive.node.arguments)))
    }

    /// The set of a fragment, as a part of what the fragment stands in.
    fn within_a_fragment(self) -> Self {
        let fragments_at_top = self.fragments_at_top.saturating_add(1);
        Self { fragments_at_top, nested_fragments: self.nested_fragments.max(fragments_at_top), ..self }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            arguments: self.arguments.saturating_add(other.arguments),
            most_arguments: self.most_arguments.max(other.most_arguments),
            directives: self.directives.saturating_add(other.directives),
            totals: self.totals.saturating_add(other.totals),
            variable_uses: self.variable_uses.saturating_add(other.variable_uses),
            nested_fragments: self.nested_fragments.max(other.nested_fragments),
            fragments_at_top: self.fragments_at_top.max(other.fragments_at_top),
            fields: self.fields.saturating_add(other.fields),
            height: self.height.max(other.height),
        }
    }
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// What these tests make up is as deep as they need it.
    #[expect(clippy::disallowed_methods, reason = "a limit is measured for itself")]
    pub fn parsed(document: &str) -> Result<ExecutableDocument, async_graphql::parser::Error> {
        async_graphql::parser::parse_query(document)
    }

    fn size(query: &str) -> Result<Size, TooDeep> {
        Size::of_document(&parsed(query).unwrap())
    }

    /// So many levels of fragments, each spreading the next one twice.
    fn bomb(levels: u32) -> String {
        let level = |level| format!(" fragment f{level} on Query {{ ...f{} ...f{} }}", level + 1, level + 1);
        "{ ...f0 }".to_owned() + &(0..levels).map(level).collect::<String>()
    }

    #[test]
    fn fragments_count_each_time_they_are_spread() {
        let size = size(&(bomb(40) + " fragment f40 on Query { x: totalCount(y: 1) @z }")).unwrap();
        for number in [size.spread.aliases, size.spread.totals, size.spread.arguments, size.spread.directives]
        {
            assert!(number >= 1 << 40, "{size:?}");
        }
        assert_eq!(size.root_fields, 1 << 40);
    }

    #[test]
    fn fragments_count_even_where_the_last_one_is_missing() {
        assert!(size(&bomb(40)).unwrap().spread.selections > 1 << 40);
    }

    #[test]
    fn a_chain_of_fragments_is_as_deep_as_its_links_whether_it_is_used_or_not() {
        assert!(size(&bomb(60)).is_ok());
        size(&bomb(70)).unwrap_err();
        size(&bomb(2_000).replace("{ ...f0 }", "{ x }")).unwrap_err();
    }

    #[test]
    fn what_a_fragment_asks_for_counts_where_it_is_spread_only() {
        let page = "fragment page on Query { x: totalCount }";
        let used = size(&format!("{{ ...page ...page }} {page}")).unwrap();
        assert_eq!((used.spread.aliases, used.spread.totals), (2, 2));
        let unused = size(&format!("{{ y }} {page}")).unwrap();
        assert_eq!((unused.spread.aliases, unused.spread.totals), (0, 0));
    }

    #[test]
    fn the_arguments_and_variables_of_directives_count_too() {
        let document = "query ($a: Int) @b(c: $a) { d(e: [$a {f: $a}]) @g(h: 1, i: $a) ...j } \
            fragment j on Query @k(l: 1, m: 2, n: $a) { o }";
        let Spread { arguments, most_arguments, variable_uses, .. } = size(document).unwrap().spread;
        // The fragment counts where it is spread, and by itself.
        assert_eq!((arguments, most_arguments, variable_uses), (1 + 1 + 2 + 2 * 3, 3, 1 + 2 + 1 + 2));
    }

    #[test]
    fn fragments_within_each_other_count_until_a_field_comes_between() {
        let nested = |document| size(document).unwrap().spread.nested_fragments;
        assert_eq!(nested("{ a }"), 0);
        assert_eq!(nested("{ ... { ... on Query { a { ... { b } } } } ... { c } }"), 2);
        assert_eq!(nested("{ a { ... { ...f } } } fragment f on A { b ... { ... { c } } }"), 4);
    }

    #[test]
    fn a_fragment_that_spreads_itself_ends() {
        let circle = size("{ ...a } fragment a on Query { x ...b } fragment b on Query { ...a }").unwrap();
        assert!(circle.spread.selections < 20);
    }
}
