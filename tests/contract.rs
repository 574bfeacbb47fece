//! The schema keeps the public contract: it may add to it, but nothing in it is missing, renamed or made stricter for
//! the caller.

mod later;

use std::collections::BTreeSet;

use async_graphql::Value;
use async_graphql::parser::types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind};

use crate::harness::sdl::{self, Types};
use later::LATER;

const CONTRACT: &str = include_str!("contract/schema.graphql");

/// What of the contract the server lacks, and in what it differs.
#[derive(Default)]
struct Findings {
    missing: BTreeSet<String>,
    broken: Vec<String>,
}

#[test]
fn the_schema_keeps_the_contract() {
    let (contract, server) = (Types::parse(CONTRACT), Types::parse(&sdl::of_server()));
    let mut findings = Findings::default();
    for name in contract.0.keys() {
        if server.0.contains_key(name) {
            findings.compare_type(name, &contract, &server);
        } else {
            findings.missing.insert(name.clone());
        }
    }
    assert_eq!(findings.broken, Vec::<String>::new());
    let later: BTreeSet<String> = LATER.iter().map(ToString::to_string).collect();
    assert_eq!(findings.missing, later, "what is there now goes from the list in contract/later.rs");
}

impl Findings {
    fn compare_type(&mut self, name: &str, contract: &Types, server: &Types) {
        match &contract.0[name] {
            TypeKind::Scalar => {
                self.expect(matches!(server.0[name], TypeKind::Scalar), || format!("{name} is no scalar"));
            }
            TypeKind::Enum(_) => {
                let known: BTreeSet<&str> = server.values(name).into_iter().collect();
                for value in contract.values(name).into_iter().filter(|value| !known.contains(value)) {
                    self.missing.insert(format!("{name}.{value}"));
                }
            }
            TypeKind::Object(_) => {
                let present = server.object(name);
                for wanted in contract.object(name) {
                    let path = format!("{name}.{}", wanted.name.node);
                    match present.iter().find(|field| field.name.node == wanted.name.node) {
                        Some(found) => self.compare_field(&path, wanted, found),
                        None => drop(self.missing.insert(path)),
                    }
                }
            }
            TypeKind::InputObject(_) => self.compare_inputs(name, &contract.input(name), &server.input(name)),
            TypeKind::Interface(_) | TypeKind::Union(_) => panic!("{name}: the contract has none of these"),
        }
    }

    fn compare_field(&mut self, path: &str, wanted: &FieldDefinition, found: &FieldDefinition) {
        let (promised, given) = (&wanted.ty.node, &found.ty.node);
        self.expect(answers(given, promised), || format!("{path} is {given} instead of {promised}"));
        let wanted: Vec<_> = wanted.arguments.iter().map(|argument| &argument.node).collect();
        let found: Vec<_> = found.arguments.iter().map(|argument| &argument.node).collect();
        self.compare_inputs(path, &wanted, &found);
    }

    fn compare_inputs(
        &mut self,
        path: &str,
        wanted: &[&InputValueDefinition],
        found: &[&InputValueDefinition],
    ) {
        for wanted in wanted {
            let path = format!("{path}({})", wanted.name.node);
            let Some(found) = found.iter().find(|found| found.name.node == wanted.name.node) else {
                self.missing.insert(path);
                continue;
            };
            let (sent, taken) = (&wanted.ty.node, &found.ty.node);
            self.expect(accepts(taken, sent), || format!("{path} takes {taken} instead of {sent}"));
            if let Some(default) = &wanted.default_value {
                let same =
                    found.default_value.as_ref().is_some_and(|found| is_same(&found.node, &default.node));
                self.expect(same, || format!("{path} is not {} by default", default.node));
            }
        }
        for added in found.iter().filter(|found| !wanted.iter().any(|wanted| wanted.name == found.name)) {
            let optional = added.ty.node.nullable || added.default_value.is_some();
            self.expect(optional, || format!("{path}({}) was added and is required", added.name.node));
        }
    }

    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }
}

/// Whether what is given is what was promised: the same, or never null where it might have been.
fn answers(given: &Type, promised: &Type) -> bool {
    let same = match (&given.base, &promised.base) {
        (BaseType::Named(given), BaseType::Named(promised)) => given == promised,
        (BaseType::List(given), BaseType::List(promised)) => answers(given, promised),
        (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => false,
    };
    same && (promised.nullable || !given.nullable)
}

/// Whether whatever may be sent is taken: the direction of an answer, turned round.
fn accepts(taken: &Type, sent: &Type) -> bool {
    answers(sent, taken)
}

/// `1` and `1.0` are the same value of a `Float`.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}
