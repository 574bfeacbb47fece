//! Each limit of a document: kept to the number, told by its name in both languages, and lower for who is not signed in.

use std::fs;

use domain::access::Role;
use serde_json::{Value, json};

use super::hub_and_admin;
use crate::harness::hub::Hub;

/// A limit, and a document that has this many of what it limits.
struct Case {
    es: &'static str,
    en: &'static str,
    signed_in: usize,
    anonymous: usize,
    document: fn(usize) -> String,
}

#[tokio::test]
async fn each_limit_is_kept_to_the_number_and_is_lower_for_who_is_not_signed_in() {
    let (hub, admin) = hub_and_admin().await;
    for case in CASES {
        let Case { es, en, signed_in, anonymous, document } = *case;
        for (token, most) in [(Some(&admin.token), signed_in), (None, anonymous)] {
            let told = async |number: usize, language: &str| {
                let ask = hub.graphql(&document(number)).header("accept-language", language);
                if let Some(token) = token { ask.by(token) } else { ask }.send().await
            };
            let within = told(most, "en").await.body.to_string();
            assert!(!within.contains("The document has"), "{most} {en}: {within}");

            let number = most + 1;
            let beyond = told(number, "en").await;
            let accepted = if most < signed_in { "Accepted without signing in" } else { "Accepted" };
            let message = format!("The document has {number} {en}. {accepted}: up to {most}.");
            assert_eq!(beyond.body["errors"][0]["message"], message, "{}", beyond.body);
            assert_eq!(beyond.code(), "TOO_COMPLEX");
            let se_aceptan = if most < signed_in { "Sin iniciar sesión se aceptan" } else { "Se aceptan" };
            let message = format!("El documento lleva {number} {es}. {se_aceptan} hasta {most}.");
            assert_eq!(told(number, "es").await.body["errors"][0]["message"], message);
        }
    }
}

/// So many pieces, numbered.
fn pieces(number: usize, piece: impl Fn(usize) -> String) -> String {
    (0..number).map(piece).collect()
}

const CASES: &[Case] = &[
    Case {
        es: "bytes sin contar las variables",
        en: "bytes, variables apart",
        signed_in: 65_536,
        anonymous: 65_536,
        document: |number| format!("{{ viewer {{ id }} }}{}", " ".repeat(number - 17)),
    },
    Case {
        es: "paréntesis, corchetes y llaves abiertos a la vez",
        en: "parentheses, brackets and braces open at once",
        signed_in: 64,
        anonymous: 64,
        document: |number| {
            format!("{{ courses(search: {}1{}) {{ id }} }}", "[".repeat(number - 2), "]".repeat(number - 2))
        },
    },
    Case {
        es: "bytes en un solo nombre",
        en: "bytes in a single name",
        signed_in: 256,
        anonymous: 256,
        document: |number| format!("{{ {} }}", "a".repeat(number)),
    },
    Case {
        es: "operaciones",
        en: "operations",
        signed_in: 20,
        anonymous: 5,
        document: |number| pieces(number, |operation| format!("query q{operation} {{ viewer {{ id }} }} ")),
    },
    Case {
        es: "fragmentos",
        en: "fragments",
        signed_in: 100,
        anonymous: 20,
        document: |number| {
            "{ viewer { id } }".to_owned()
                + &pieces(number, |fragment| format!(" fragment f{fragment} on Query {{ a }}"))
        },
    },
    Case {
        es: "variables",
        en: "variables",
        signed_in: 100,
        anonymous: 20,
        document: |number| {
            format!(
                "query ({}) {{ viewer {{ id }} }}",
                pieces(number, |variable| format!("$v{variable}: Int "))
            )
        },
    },
    Case {
        es: "campos",
        en: "fields",
        signed_in: 5_000,
        anonymous: 1_000,
        document: |number| format!("{{ viewer {{ {} }} }}", pieces(number - 1, |field| format!("f{field} "))),
    },
    Case {
        es: "campos de primer nivel",
        en: "fields at the top",
        signed_in: 50,
        anonymous: 25,
        document: |number| format!("{{ {} }}", pieces(number, |field| format!("f{field} "))),
    },
    Case {
        es: "alias",
        en: "aliases",
        signed_in: 50,
        anonymous: 25,
        document: |number| format!("{{ viewer {{ {} }} }}", pieces(number, |alias| format!("a{alias}: id "))),
    },
    Case {
        es: "argumentos",
        en: "arguments",
        signed_in: 1_000,
        anonymous: 100,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", pieces(number, |field| format!("f{field}(a: 1) ")))
        },
    },
    Case {
        es: "argumentos en un solo campo o directiva",
        en: "arguments of a single field or directive",
        signed_in: 32,
        anonymous: 16,
        document: |number| {
            format!("{{ courses({}) {{ id }} }}", pieces(number, |argument| format!("a{argument}: 1 ")))
        },
    },
    Case {
        es: "argumentos en un solo campo o directiva",
        en: "arguments of a single field or directive",
        signed_in: 32,
        anonymous: 16,
        document: |number| {
            format!("{{ viewer @skip({}) {{ id }} }}", pieces(number, |argument| format!("a{argument}: 1 ")))
        },
    },
    Case {
        es: "directivas",
        en: "directives",
        signed_in: 100,
        anonymous: 20,
        document: |number| format!("{{ viewer {{ {} }} }}", pieces(number, |field| format!("f{field} @a "))),
    },
    Case {
        es: "totalCount",
        en: "totalCount",
        signed_in: 10,
        anonymous: 10,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", pieces(number, |list| format!("l{list} {{ totalCount }} ")))
        },
    },
    Case {
        es: "fragmentos uno dentro de otro",
        en: "fragments directly within each other",
        signed_in: 16,
        anonymous: 8,
        document: |number| {
            format!("{{ {} viewer {{ id }} {} }}", "... { ".repeat(number), "} ".repeat(number))
        },
    },
    Case {
        es: "campos que repiten el nombre de otro a su lado",
        en: "fields that repeat a name beside them",
        signed_in: 500,
        anonymous: 50,
        document: |number| format!("{{ viewer {{ id {} }} }}", "id ".repeat(number)),
    },
    Case {
        es: "campos que repiten el nombre de otro a su lado",
        en: "fields that repeat a name beside them",
        signed_in: 500,
        anonymous: 50,
        // In the operation and in the fragment, each that the fragment has two of.
        document: |number| {
            let one_more = if number % 2 == 0 { "" } else { "... { b } b" };
            format!(
                "{{ viewer {{ ...f {one_more} }} }} fragment f on Viewer {{ id {} }}",
                "id ".repeat(number / 2)
            )
        },
    },
    Case {
        es: "usos de variables",
        en: "uses of variables",
        signed_in: 1_000,
        anonymous: 100,
        document: |number| {
            format!("query ($v: Int) {{ courses(first: [{}]) {{ id }} }}", "$v ".repeat(number))
        },
    },
];

#[tokio::test]
async fn a_large_variable_may_be_used_once_and_not_again_and_again() {
    let (hub, admin) = hub_and_admin().await;
    let twice = "query ($v: String) { a: courses(search: $v) { id } b: courses(search: $v) { id } }";
    let once = "query ($v: String) { courses(search: $v) { id } }";
    for (document, length, token, is_refused) in [
        (once, 2_000_000, None, false),
        (twice, 60_000, None, false),
        (twice, 70_000, None, true),
        (twice, 1_000_000, Some(&admin.token), false),
        (twice, 1_100_000, Some(&admin.token), true),
    ] {
        let ask =
            hub.graphql(document).variables(json!({"v": "x".repeat(length)})).header("accept-language", "en");
        let answer = if let Some(token) = token { ask.by(token) } else { ask }.send().await;
        let told = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(
            told.contains(" bytes of variables used more than once. Accepted"),
            is_refused,
            "{length}: {told}"
        );
    }
}

#[tokio::test]
async fn the_hubs_own_operations_are_far_within_the_limits() {
    let (hub, admin) = hub_and_admin().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/graphql");
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "graphql") {
            let document = fs::read_to_string(&path).unwrap();
            for token in [None, Some(&admin.token)] {
                let ask = hub.graphql(&document);
                let answer = if let Some(token) = token { ask.by(token) } else { ask }.send().await;
                assert!(
                    !answer.body.to_string().contains("TOO_COMPLEX"),
                    "{}: {}",
                    path.display(),
                    answer.body
                );
            }
            found += 1;
        }
    }
    assert!(found > 10, "{found} in {folder}");
}

#[tokio::test]
async fn only_who_is_signed_in_is_told_what_they_may_have_meant() {
    let hub = Hub::start().await;
    let student = hub.user(Role::Student).await;
    for document in [
        "{ viewr { id } }",
        "{ viewer { emai } }",
        "{ discordPractices(filtr: 1) { totalCount } }",
        "{ viewer { id @deprecated(reasn: \"x\") } }",
    ] {
        let told = |body: Value| {
            let mut messages =
                body["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap());
            messages.find(|message| message.starts_with("Unknown ")).unwrap().to_owned()
        };
        let to_anybody = told(hub.graphql(document).send().await.body);
        assert!(to_anybody.ends_with('.'), "{to_anybody}");
        let to_student = told(hub.graphql(document).by(&student.token).send().await.body);
        assert!(to_student.starts_with(&format!("{to_anybody} Did you mean ")), "{to_student}");
    }
}
