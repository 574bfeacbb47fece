//! The schema implements the public contract. It may add to the contract, but it must not remove or rename
//! anything, or be stricter for callers.

mod not_implemented;

use std::collections::BTreeSet;

use async_graphql::Value;
use async_graphql::parser::types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind};

use crate::harness::sdl::{self, Types};
use not_implemented::NOT_IMPLEMENTED;

const CONTRACT: &str = include_str!("contract/schema.graphql");

/// What the server's schema lacks, and where it breaks the contract.
#[derive(Default)]
struct Findings {
    missing: BTreeSet<String>,
    broken: Vec<String>,
}

#[test]
fn the_schema_keeps_the_contract() {
    let (contract, server) = (Types::parse(CONTRACT), Types::parse(&sdl::server_schema()));
    let mut findings = Findings::default();
    for name in contract.0.keys() {
        if server.0.contains_key(name) {
            findings.compare_type(name, &contract, &server);
        } else {
            findings.missing.insert(name.clone());
        }
    }
    assert_eq!(findings.broken, Vec::<String>::new());
    let not_implemented: BTreeSet<String> = NOT_IMPLEMENTED.iter().map(ToString::to_string).collect();
    assert_eq!(
        findings.missing, not_implemented,
        "remove what is implemented from the list in contract/not_implemented.rs"
    );
}

impl Findings {
    fn compare_type(&mut self, name: &str, contract: &Types, server: &Types) {
        match &contract.0[name] {
            TypeKind::Scalar => {
                self.expect(matches!(server.0[name], TypeKind::Scalar), || format!("{name} is not a scalar"));
            }
            TypeKind::Enum(_) => {
                let known: BTreeSet<&str> = server.values(name).into_iter().collect();
                for value in contract.values(name).into_iter().filter(|value| !known.contains(value)) {
                    self.missing.insert(format!("{name}.{value}"));
                }
            }
            TypeKind::Object(_) => {
                let fields = server.object(name);
                for expected in contract.object(name) {
                    let path = format!("{name}.{}", expected.name.node);
                    match fields.iter().find(|field| field.name.node == expected.name.node) {
                        Some(found) => self.compare_field(&path, expected, found),
                        None => drop(self.missing.insert(path)),
                    }
                }
            }
            TypeKind::InputObject(_) => self.compare_inputs(name, &contract.input(name), &server.input(name)),
            TypeKind::Interface(_) | TypeKind::Union(_) => {
                panic!("{name}: the contract has no interfaces and unions")
            }
        }
    }

    fn compare_field(&mut self, path: &str, expected: &FieldDefinition, found: &FieldDefinition) {
        let (required, actual) = (&expected.ty.node, &found.ty.node);
        self.expect(is_compatible_output(actual, required), || {
            format!("{path} is {actual} instead of {required}")
        });
        let expected: Vec<_> = expected.arguments.iter().map(|argument| &argument.node).collect();
        let found: Vec<_> = found.arguments.iter().map(|argument| &argument.node).collect();
        self.compare_inputs(path, &expected, &found);
    }

    fn compare_inputs(
        &mut self,
        path: &str,
        expected: &[&InputValueDefinition],
        found: &[&InputValueDefinition],
    ) {
        for expected in expected {
            let path = format!("{path}({})", expected.name.node);
            let Some(found) = found.iter().find(|found| found.name.node == expected.name.node) else {
                self.missing.insert(path);
                continue;
            };
            let (sent, accepted) = (&expected.ty.node, &found.ty.node);
            self.expect(is_compatible_input(accepted, sent), || {
                format!("{path} accepts {accepted} instead of {sent}")
            });
            if let Some(default) = &expected.default_value {
                let same =
                    found.default_value.as_ref().is_some_and(|found| is_equal(&found.node, &default.node));
                self.expect(same, || format!("the default of {path} is not {}", default.node));
            }
        }
        for added in found.iter().filter(|found| !expected.iter().any(|expected| expected.name == found.name))
        {
            let optional = added.ty.node.nullable || added.default_value.is_some();
            self.expect(optional, || format!("{path}({}) was added and is required", added.name.node));
        }
    }

    fn expect(&mut self, condition: bool, message: impl FnOnce() -> String) {
        if !condition {
            self.broken.push(message());
        }
    }
}

/// Whether an output type is the contract's type, or its non-null version.
fn is_compatible_output(actual: &Type, required: &Type) -> bool {
    let same = match (&actual.base, &required.base) {
        (BaseType::Named(actual), BaseType::Named(required)) => actual == required,
        (BaseType::List(actual), BaseType::List(required)) => is_compatible_output(actual, required),
        (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => false,
    };
    same && (required.nullable || !actual.nullable)
}

/// Whether an input type accepts everything that the contract allows to be sent.
fn is_compatible_input(accepted: &Type, sent: &Type) -> bool {
    is_compatible_output(sent, accepted)
}

/// Whether two values are equal. `1` and `1.0` are the same value of a `Float`.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}
