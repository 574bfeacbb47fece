use async_graphql::parser::types::{BaseType, Directive, Selection, SelectionSet, Type};
use async_graphql::{Name, Positioned};
use async_graphql_value::{ConstValue, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use super::TextSize;
use crate::graphql::limits::size::tests::parsed;

fn open_brackets(document: &str) -> u64 {
    TextSize::of(document).open_brackets
}

#[test]
fn open_brackets_of_all_kinds_count_together() {
    assert_eq!(open_brackets("{ a(b: [{c: [1]}]) { d } e { f { g } } }"), 5);
    assert_eq!(open_brackets("query ($a: [[Int]] = [[[1]]]) { b }"), 4);
    assert_eq!(open_brackets(&("[".repeat(5_000) + &"]".repeat(5_000))), 5_000);
}

#[test]
fn brackets_in_strings_and_comments_do_not_count() {
    for hidden in [
        r#""[[[[""#,
        r#""\"[[[[""#,
        r#""\\\"[[[[""#,
        r#""""[[[[""""#,
        r#"""" " "" [[[[ \""" [[[[ """"#,
        "\"\"\"\n[[[[\n\"\"\"",
        "#[[[[\n1",
        "#\"[[[[\r1",
        "# \"\"\" [[[[\n1",
    ] {
        assert_eq!(open_brackets(&format!("{{ a(b: {hidden}) }}")), 2, "{hidden}");
    }
}

#[test]
fn brackets_after_strings_and_comments_count() {
    for shown in [
        r#""" [[[[1]]]]"#,
        r#""\\" [[[[1]]]]"#,
        r##""#" [[[[1]]]]"##,
        r#""""x\\\"""y""" [[[[1]]]]"#,
        r#""" """ """ [[[[1]]]]"#,
        // The parser reads an unterminated block string as an empty string, followed by another string.
        r#""""" [[[[1]]]]"#,
        r#""""""" [[[[1]]]]"#,
        "#\r[[[[1]]]]",
        "#\n[[[[1]]]]",
    ] {
        assert_eq!(open_brackets(&format!("{{ a(b: [{shown}]) }}")), 7, "{shown}");
    }
    // The parser stops at such a line break.
    assert_eq!(open_brackets("{ a(b: \"x\n[[[[1]]]]) }"), 6);
}

#[test]
fn the_longest_name_ignores_strings_comments_and_numbers() {
    let long = "x".repeat(300);
    let name = |document: &str| TextSize::of(document).longest_name;
    assert_eq!(name(&format!("{{ a_{long} }}")), 302);
    let digits = "1".repeat(300);
    assert_eq!(name(&format!("# {long}\n{{ abc(de: \"{long}\", fg: {digits}, h: -1.5e7) }}")), 3);
}

#[test]
fn many_quotes_are_read_in_linear_time() {
    for unit in ["\"", "\"\"\"\"", "\\\"\"\"", "\"\\\"\"\" ", "\"\"\" ", "#\"\"\"\n"] {
        let text = unit.repeat(1 << 20);
        let start = std::time::Instant::now();
        TextSize::of(&text);
        // Starting again from each quote would take hours.
        assert!(start.elapsed().as_secs() < 60, "{unit}");
    }
}

/// A piece of a document, and the maximum number of brackets that are open at once in it.
type Piece = (String, u64);

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn generated_documents_are_measured_exactly((document, depth) in documents()) {
        prop_assert_eq!(depth_of(&document), Some(depth), "the parser agrees: {}", &document);
        prop_assert_eq!(open_brackets(&document), depth, "{}", document);
    }

    #[test]
    fn the_measured_depth_of_every_valid_document_is_its_parsed_depth(
        tokens in vec(prop::sample::select(TOKENS), 0..24).prop_map(|pieces| pieces.concat())
    ) {
        for document in [format!("{{a(b:[{tokens}])}}"), format!("{{a(b:[{tokens}\n])}}"), format!("{{a{tokens}}}")] {
            if let Some(depth) = depth_of(&document) {
                prop_assert_eq!(open_brackets(&document), depth, "{}", document);
            }
        }
    }
}

/// Parts of documents that are hard to tokenize.
const TOKENS: &[&str] = &[
    "\"", "\"\"", "\"\"\"", "\"\"\"", "\"\"\"\"", "\\\"\"\"", "\\\"", "\\\\", "\\", "#", "\n", "\r", "[",
    "]", "[]", "[[1]]", "{", "}", "{a:1}", "(", ")", " ", ",", "x", "1", "$v", "\\u005b", "\u{feff}", "ñ",
    ":", "@a", "...",
];

fn documents() -> impl Strategy<Value = Piece> {
    let operation =
        (vec(variable_definition(), 0..3), directives(), set()).prop_map(|(variables, directives, set)| {
            let variables = if variables.is_empty() { leaf("") } else { bracketed("(", variables, ")") };
            joined("query Q ", [variables, directives, set])
        });
    let fragment =
        (directives(), set()).prop_map(|(directives, set)| joined("fragment F on T ", [directives, set]));
    (operation, prop::option::of(fragment))
        .prop_map(|(operation, fragment)| joined("", [Some(operation), fragment].into_iter().flatten()))
}

fn variable_definition() -> impl Strategy<Value = Piece> {
    (0_usize..4, prop::option::of(value("7")), directives()).prop_map(|(lists, default, directives)| {
        let of_type = (format!("{}Int!{}", "[".repeat(lists), "]".repeat(lists)), lists as u64);
        let default = default.map(|(text, depth)| (format!("= {text}"), depth));
        joined("$v : ", [Some(of_type), Some(directives), default].into_iter().flatten())
    })
}

fn set() -> impl Strategy<Value = Piece> {
    let field = || {
        (arguments(), directives())
            .prop_map(|(arguments, directives)| joined("a : b ", [arguments, directives]))
    };
    let leaf_set = vec(field(), 1..3).prop_map(|fields| bracketed("{", fields, "}"));
    leaf_set.prop_recursive(5, 24, 3, move |inner| {
        let selection = prop_oneof![
            (field(), inner.clone()).prop_map(|(field, set)| joined("", [field, set])),
            (directives(), inner).prop_map(|(directives, set)| joined("... on T ", [directives, set])),
            directives().prop_map(|directives| joined("...F ", [directives])),
            field(),
        ];
        vec(selection, 1..3).prop_map(|selections| bracketed("{", selections, "}"))
    })
}

fn directives() -> impl Strategy<Value = Piece> {
    let directive = arguments().prop_map(|arguments| joined("@d ", [arguments]));
    vec(directive, 0..2).prop_map(|directives| joined("", directives))
}

fn arguments() -> impl Strategy<Value = Piece> {
    let argument = value("$v").prop_map(|(text, depth)| (format!("c : {text}"), depth));
    vec(argument, 0..2).prop_map(
        |arguments| {
            if arguments.is_empty() { leaf("") } else { bracketed("(", arguments, ")") }
        },
    )
}

/// A value. `variable` is a possible scalar. Pass a constant where variables are not allowed.
fn value(variable: &'static str) -> impl Strategy<Value = Piece> {
    let string =
        vec(prop::sample::select(&["[", "{", ")", "#", "\\\"", "\\\\", "\\u005b", "ñ", "x"][..]), 0..6)
            .prop_map(|pieces| leaf(&format!("\"{}\"", pieces.concat())));
    // Three quotes in a row are always escaped, and no backslash precedes the closing quotes.
    let block =
        vec(prop::sample::select(&["[", "}", "#", "\"x", "\"\"x", "\\\"\"\"", "\\x", "\n", "ñ"][..]), 0..6)
            .prop_map(|pieces| leaf(&format!("\"\"\"{}x\"\"\"", pieces.concat())));
    let scalar = prop::sample::select(vec!["1", "-1.5e3", "null", "true", "E", variable]).prop_map(leaf);
    prop_oneof![scalar, string, block].prop_recursive(5, 16, 3, |inner| {
        let field = inner.clone().prop_map(|(text, depth)| (format!("d : {text}"), depth));
        prop_oneof![
            vec(inner, 0..3).prop_map(|values| bracketed("[", values, "]")),
            // The parser keeps only one field with the same name.
            vec(field, 0..2).prop_map(|fields| bracketed("{", fields, "}")),
        ]
    })
}

fn leaf(text: &str) -> Piece {
    (text.to_owned(), 0)
}

fn bracketed(open: &str, pieces: Vec<Piece>, close: &str) -> Piece {
    let (text, depth) = joined("", pieces);
    (format!("{open} {text} {close}"), depth + 1)
}

/// Concatenates pieces, with insignificant but misleading text between them.
fn joined(start: &str, pieces: impl IntoIterator<Item = Piece>) -> Piece {
    const SEPARATORS: [&str; 5] = [" ", ",", " # \"[({ \"\"\"\n", "\r\n", "\t#]})\r"];
    let mut all = leaf(start);
    for (text, depth) in pieces {
        all.0 += &text;
        all.0 += SEPARATORS[all.0.len() % SEPARATORS.len()];
        all.1 = all.1.max(depth);
    }
    all
}

/// The depth of the parsed document. `None` if it is invalid.
fn depth_of(document: &str) -> Option<u64> {
    let document = parsed(document).ok()?;
    let operations = document.operations.iter().map(|(_, operation)| {
        let operation = &operation.node;
        let variables = operation.variable_definitions.iter().map(|definition| {
            let definition = &definition.node;
            let default = definition.default_value.as_ref().map_or(0, |value| of_const(&value.node));
            1 + of_type(&definition.var_type.node).max(default).max(of_directives(&definition.directives))
        });
        largest(variables)
            .max(of_directives(&operation.directives))
            .max(of_set(&operation.selection_set.node))
    });
    let fragments = document.fragments.values().map(|fragment| {
        of_directives(&fragment.node.directives).max(of_set(&fragment.node.selection_set.node))
    });
    Some(largest(operations.chain(fragments)))
}

fn of_set(set: &SelectionSet) -> u64 {
    if set.items.is_empty() {
        return 0;
    }
    let selections = set.items.iter().map(|selection| {
        let inner = match &selection.node {
            Selection::Field(field) => {
                of_arguments(&field.node.arguments).max(of_set(&field.node.selection_set.node))
            }
            Selection::InlineFragment(fragment) => of_set(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => 0,
        };
        inner.max(of_directives(selection.node.directives()))
    });
    1 + largest(selections)
}

fn of_directives(directives: &[Positioned<Directive>]) -> u64 {
    largest(directives.iter().map(|directive| of_arguments(&directive.node.arguments)))
}

fn of_arguments(arguments: &[(Positioned<Name>, Positioned<Value>)]) -> u64 {
    let values = largest(arguments.iter().map(|(_, value)| of_value(&value.node)));
    if arguments.is_empty() { 0 } else { 1 + values }
}

fn of_value(value: &Value) -> u64 {
    match value {
        Value::List(values) => 1 + largest(values.iter().map(of_value)),
        Value::Object(fields) => 1 + largest(fields.values().map(of_value)),
        _ => 0,
    }
}

fn of_const(value: &ConstValue) -> u64 {
    of_value(&value.clone().into_value())
}

fn of_type(named: &Type) -> u64 {
    match &named.base {
        BaseType::Named(_) => 0,
        BaseType::List(inner) => 1 + of_type(inner),
    }
}

fn largest(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.max().unwrap_or_default()
}
