//! Measures the values of variables that a document uses more than once.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::{ConstValue, Value};

/// The approximate memory of the values of all uses except each variable's first, in bytes. Fragments are
/// expanded, so check the limit on the number of uses first.
pub fn repeated_bytes(document: &ExecutableDocument, variables: &Variables) -> u64 {
    let mut uses = Uses { document, fragments: HashMap::new() };
    let mut times: HashMap<&Name, u64> = HashMap::new();
    for (_, operation) in document.operations.iter() {
        let mut names = Vec::new();
        add_variables_of_directives(&operation.node.directives, &mut names);
        names.extend(uses.set(&operation.node.selection_set.node));
        for name in names {
            *times.entry(name).or_default() += 1;
        }
    }
    let definitions =
        || document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    let bytes = |name: &Name| {
        let defaults = definitions().filter(|definition| definition.node.name.node == *name);
        let defaults = defaults.filter_map(|definition| definition.node.default_value());
        defaults.chain(variables.get(name)).map(bytes_of).max().unwrap_or_default()
    };
    let repeated = times.into_iter().filter(|(_, times)| *times > 1);
    repeated.fold(0_u64, |sum, (name, times)| sum.saturating_add((times - 1).saturating_mul(bytes(name))))
}

struct Uses<'a> {
    document: &'a ExecutableDocument,
    fragments: HashMap<&'a Name, Vec<&'a Name>>,
}

impl<'a> Uses<'a> {
    /// The variables that a set uses, one item per use.
    fn set(&mut self, set: &'a SelectionSet) -> Vec<&'a Name> {
        let mut names = Vec::new();
        for selection in &set.items {
            add_variables_of_directives(selection.node.directives(), &mut names);
            match &selection.node {
                Selection::Field(field) => {
                    for (_, value) in &field.node.arguments {
                        add_variables(&value.node, &mut names);
                    }
                    names.extend(self.set(&field.node.selection_set.node));
                }
                Selection::InlineFragment(fragment) => {
                    names.extend(self.set(&fragment.node.selection_set.node));
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &spread.node.fragment_name.node;
                    self.fragment(fragment);
                    names.extend(self.fragments.get(fragment).into_iter().flatten());
                }
            }
        }
        names
    }

    /// A fragment that spreads itself counts as empty there. Validation refuses it.
    fn fragment(&mut self, name: &'a Name) {
        if self.fragments.contains_key(name) {
            return;
        }
        self.fragments.insert(name, Vec::new());
        if let Some(fragment) = self.document.fragments.get(name) {
            let mut names = Vec::new();
            add_variables_of_directives(&fragment.node.directives, &mut names);
            names.extend(self.set(&fragment.node.selection_set.node));
            self.fragments.insert(name, names);
        }
    }
}

fn add_variables_of_directives<'a>(directives: &'a [Positioned<Directive>], names: &mut Vec<&'a Name>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
        add_variables(&value.node, names);
    }
}

/// Adds the variables in a value. The limit on open brackets bounds the recursion.
pub fn add_variables<'a>(value: &'a Value, names: &mut Vec<&'a Name>) {
    match value {
        Value::Variable(name) => names.push(name),
        Value::List(values) => values.iter().for_each(|value| add_variables(value, names)),
        Value::Object(fields) => fields.values().for_each(|value| add_variables(value, names)),
        Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => {}
    }
}

/// The approximate memory of a copy of the value, in bytes.
fn bytes_of(value: &ConstValue) -> u64 {
    let overhead = u64::try_from(size_of_val(value)).unwrap_or(u64::MAX);
    let sum = |parts: &mut dyn Iterator<Item = u64>| parts.fold(0, u64::saturating_add);
    let content = match value {
        ConstValue::Null | ConstValue::Number(_) | ConstValue::Boolean(_) | ConstValue::Enum(_) => 0,
        ConstValue::String(text) => text.len().try_into().unwrap_or(u64::MAX),
        ConstValue::Binary(bytes) => bytes.len().try_into().unwrap_or(u64::MAX),
        ConstValue::List(values) => sum(&mut values.iter().map(bytes_of)),
        ConstValue::Object(fields) => {
            sum(&mut fields.values().map(|value| overhead.saturating_add(bytes_of(value))))
        }
    };
    overhead.saturating_add(content)
}

#[cfg(test)]
mod tests {
    use async_graphql::Variables;
    use serde_json::json;

    use crate::graphql::limits::size::tests::parsed;

    fn repeated(document: &str) -> u64 {
        let text = "x".repeat(1_000_000);
        let variables = Variables::from_json(json!({"large": text, "list": [text, text], "small": 1}));
        // In units of one large text. The overhead of the values is less than one unit.
        super::repeated_bytes(&parsed(document).unwrap(), &variables) / 1_000_000
    }

    #[test]
    fn the_first_use_of_a_variable_is_free_however_large_it_is() {
        assert_eq!(repeated("{ a(b: $large, c: [$list $small], d: $unknown) }"), 0);
    }

    #[test]
    fn each_further_use_counts_regardless_of_its_place() {
        assert_eq!(repeated("{ a(b: $large) @c(d: [$large]) ... @e(f: {g: $large}) { h(i: $list) } }"), 2);
        assert_eq!(repeated("query A @a(b: $list) { c @d(e: [$list $list]) }"), 4);
        assert_eq!(repeated("query A { a(b: $large) } query B { a(b: $large) }"), 1);
    }

    #[test]
    fn each_spread_of_a_fragment_uses_its_variables_again() {
        let document = "{ ...f ...g ...g } fragment g on Query @a(b: $large) { ...f } fragment f on Query { a(b: $large) }";
        assert_eq!(repeated(document), 4);
    }

    #[test]
    fn a_default_counts_as_much_as_a_value() {
        let default = "y".repeat(2_000_000);
        assert_eq!(
            repeated(&format!("query ($small: String = \"{default}\") {{ a(b: [$small $small]) }}")),
            2
        );
    }
}
