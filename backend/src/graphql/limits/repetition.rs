//! How often a document asks for a name again that it asks for beside it, fragments spread out.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The fields, in all selection sets, whose name in the answer another field of the set has already; an inline fragment
/// is a set of its own and a part of the one around it, as it is for the library.
///
/// Fragments are counted once and not spread, so the work grows with the selections and how deep fragments stand within
/// each other, both of which must be known to be within their limits.
pub fn of_document(document: &ExecutableDocument) -> u64 {
    let mut count = Count { document, known: HashMap::new(), repeated: 0 };
    for (_, operation) in document.operations.iter() {
        count.set(&operation.node.selection_set.node);
    }
    for name in document.fragments.keys() {
        count.fragment(name);
    }
    count.repeated
}

/// The names of a set, and how often it has each.
type Names<'a> = HashMap<&'a str, u64>;

struct Count<'a> {
    document: &'a ExecutableDocument,
    known: HashMap<&'a Name, Names<'a>>,
    repeated: u64,
}

impl<'a> Count<'a> {
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
                    for (&name, &times) in self.known.get(fragment).into_iter().flatten() {
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

    /// One that spreads itself counts as empty there: validation refuses it by name.
    fn fragment(&mut self, name: &'a Name) {
        if self.known.contains_key(name) {
            return;
        }
        self.known.insert(name, Names::new());
        if let Some(fragment) = self.document.fragments.get(name) {
            let names = self.set(&fragment.node.selection_set.node);
            self.known.insert(name, names);
        }
    }
}

fn add<'a>(names: &mut Names<'a>, name: &'a str, times: u64) {
    let known = names.entry(name).or_default();
    *known = known.saturating_add(times);
}

#[cfg(test)]
mod tests {
    use crate::graphql::limits::size::tests::parsed;

    fn repeated(document: &str) -> u64 {
        super::of_document(&parsed(document).unwrap())
    }

    #[test]
    fn each_further_field_of_a_name_counts_in_its_own_set_only() {
        assert_eq!(repeated("{ a b a { a } c: d c: d(e: 1) }"), 2);
        assert_eq!(repeated("{ a { x y } b { x y } }"), 0);
        assert_eq!(repeated("query A { a } query B { a }"), 0);
    }

    #[test]
    fn fragments_count_where_they_stand_and_by_themselves() {
        assert_eq!(repeated("{ a ... { a ... on Query { a } } }"), 2 + 1);
        assert_eq!(repeated("{ a ...f ...f } fragment f on Query { a b }"), 2 + 1);
        assert_eq!(
            repeated("{ a ...f } fragment f on Query { ...g b } fragment g on Query { b b }"),
            2 + 2 + 1
        );
    }

    #[test]
    fn circles_end_and_large_numbers_do_not_overflow() {
        repeated("{ ...a } fragment a on Query { x ...b ...b } fragment b on Query { x ...a ...a }");
        let level = |level| format!(" fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
        let bomb = "{ ...f0 }".to_owned() + &(0..90).map(level).collect::<String>();
        assert_eq!(repeated(&(bomb + " fragment f90 on Query { a }")), u64::MAX);
    }
}
