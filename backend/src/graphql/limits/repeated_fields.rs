//! Counts the fields of a document that repeat the name of a sibling, with all fragments expanded.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The number of fields, in all selection sets, that have the same response key as an earlier field of their
/// set. As in the library, an inline fragment is a set by itself and also a part of the set around it.
///
/// Each fragment is counted once and reused for its spreads, so the cost grows with the number of selections
/// and the nesting of fragments. Check the limits on both first.
pub fn count(document: &ExecutableDocument) -> u64 {
    let mut counter = Counter { document, fragments: HashMap::new(), repeated: 0 };
    for (_, operation) in document.operations.iter() {
        counter.set(&operation.node.selection_set.node);
    }
    for name in document.fragments.keys() {
        counter.fragment(name);
    }
    counter.repeated
}

/// The response keys of a set, with the number of fields for each.
type Names<'a> = HashMap<&'a str, u64>;

struct Counter<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a Name, Names<'a>>,
    repeated: u64,
}

impl<'a> Counter<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Names<'a> {
        let mut names = Names::new();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    add(&mut names, field.node.response_key().node.as_str(), 1);
                    self.set(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    for (name, times) in self.set(&fragment.node.selection_set.node) {
                        add(&mut names, name, times);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &spread.node.fragment_name.node;
                    self.fragment(fragment);
                    for (&name, &times) in self.fragments.get(fragment).into_iter().flatten() {
                        add(&mut names, name, times);
                    }
                }
            }
        }
        for times in names.values() {
            self.repeated = self.repeated.saturating_add(times - 1);
        }
        names
    }

    /// A fragment that spreads itself counts as empty there. Validation refuses it.
    fn fragment(&mut self, name: &'a Name) {
        if self.fragments.contains_key(name) {
            return;
        }
        self.fragments.insert(name, Names::new());
        if let Some(fragment) = self.document.fragments.get(name) {
            let names = self.set(&fragment.node.selection_set.node);
            self.fragments.insert(name, names);
        }
    }
}

fn add<'a>(names: &mut Names<'a>, name: &'a str, times: u64) {
    let count = names.entry(name).or_default();
    *count = count.saturating_add(times);
}

#[cfg(test)]
mod tests {
    use crate::graphql::limits::size::tests::parsed;

    fn repeated(document: &str) -> u64 {
        super::count(&parsed(document).unwrap())
    }

    #[test]
    fn each_repeated_name_counts_only_in_its_own_selection_set() {
        assert_eq!(repeated("{ a b a { a } c: d c: d(e: 1) }"), 2);
        assert_eq!(repeated("{ a { x y } b { x y } }"), 0);
        assert_eq!(repeated("query A { a } query B { a }"), 0);
    }

    #[test]
    fn fragments_count_by_themselves_and_where_they_are_spread() {
        assert_eq!(repeated("{ a ... { a ... on Query { a } } }"), 2 + 1);
        assert_eq!(repeated("{ a ...f ...f } fragment f on Query { a b }"), 2 + 1);
        assert_eq!(
            repeated("{ a ...f } fragment f on Query { ...g b } fragment g on Query { b b }"),
            2 + 2 + 1
        );
    }

    #[test]
    fn cyclic_fragments_end_and_large_counts_do_not_overflow() {
        repeated("{ ...a } fragment a on Query { x ...b ...b } fragment b on Query { x ...a ...a }");
        let level = |level| format!(" fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
        let bomb = "{ ...f0 }".to_owned() + &(0..90).map(level).collect::<String>();
        assert_eq!(repeated(&(bomb + " fragment f90 on Query { a }")), u64::MAX);
    }
}
