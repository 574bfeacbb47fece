//! How large a document is once its fragments are spread out, found without spreading them.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::MAX_NESTING;

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
    pub arguments: u64,
    pub directives: u64,
    pub totals: u64,
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
            size.spread = size.spread.plus(spread);
            size.spread.directives += count(operation.directives.len());
            for variable in &operation.variable_definitions {
                size.spread.directives += count(variable.node.directives.len());
            }
        }
        for (name, fragment) in &document.fragments {
            let spread = measure.fragment(name, 0)?;
            size.spread = size.spread.plus(Spread { aliases: 0, totals: 0, ..spread });
            size.spread.directives += count(fragment.node.directives.len());
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
            size = size.plus(found);
            size.selections = size.selections.saturating_add(1);
            size.directives = size.directives.saturating_add(count(selection.node.directives().len()));
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
                    arguments: count(field.arguments.len()),
                    totals: u64::from(field.name.node == "totalCount"),
                    ..Spread::default()
                };
                let below = self.set(&field.selection_set.node, depth)?;
                Ok(Spread { fields: 1, ..own.plus(below) })
            }
            Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, depth),
            Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, depth),
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
        self.known.insert(name, size);
        Ok(size)
    }
}

impl Spread {
    fn plus(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            arguments: self.arguments.saturating_add(other.arguments),
            directives: self.directives.saturating_add(other.directives),
            totals: self.totals.saturating_add(other.totals),
            fields: self.fields.saturating_add(other.fields),
            height: self.height.max(other.height),
        }
    }
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn size(query: &str) -> Result<Size, TooDeep> {
        Size::of_document(&parse_query(query).unwrap())
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
    fn a_fragment_that_spreads_itself_ends() {
        let circle = size("{ ...a } fragment a on Query { x ...b } fragment b on Query { ...a }").unwrap();
        assert!(circle.spread.selections < 20);
    }
}
