//! The limits of a document are exact, reported by name in both languages, and lower for anonymous callers.

use std::fs;

use domain::access::Role;
use serde_json::{Value, json};

use super::{hub_and_admin, join_parts};
use crate::harness::hub::Hub;

/// A limit, and a function that makes a document with a given number of the limited thing.
struct Case {
    es: &'static str,
    en: &'static str,
    signed_in: usize,
    anonymous: usize,
    document: fn(usize) -> String,
}

#[tokio::test]
async fn each_limit_is_exact_and_lower_for_anonymous_callers() {
    let (hub, admin) = hub_and_admin().await;
    for case in CASES {
        let Case { es, en, signed_in, anonymous, document } = *case;
        for (token, limit) in [(Some(&admin.token), signed_in), (None, anonymous)] {
            let send = async |number: usize, language: &str| {
                let request = hub.graphql(&document(number)).header("accept-language", language);
                if let Some(token) = token { request.by(token) } else { request }.send().await
            };
            let at_limit = send(limit, "en").await.body.to_string();
            assert!(!at_limit.contains("The document has"), "{limit} {en}: {at_limit}");

            let number = limit + 1;
            let over_limit = send(number, "en").await;
            let accepted = if limit < signed_in { "Accepted without signing in" } else { "Accepted" };
            let message = format!("The document has {number} {en}. {accepted}: up to {limit}.");
            assert_eq!(over_limit.body["errors"][0]["message"], message, "{}", over_limit.body);
            assert_eq!(over_limit.code(), "TOO_COMPLEX");
            let accepted_es = if limit < signed_in { "Sin iniciar sesión se aceptan" } else { "Se aceptan" };
            let message = format!("El documento lleva {number} {es}. {accepted_es} hasta {limit}.");
            assert_eq!(send(number, "es").await.body["errors"][0]["message"], message);
        }
    }
}

const CASES: &[Case] = &[
    Case {
        es: "bytes sin contar las variables",
        en: "bytes, not counting variables",
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
        document: |number| {
            join_parts(number, |operation| format!("query q{operation} {{ viewer {{ id }} }} "))
        },
    },
    Case {
        es: "fragmentos",
        en: "fragments",
        signed_in: 100,
        anonymous: 20,
        document: |number| {
            "{ viewer { id } }".to_owned()
                + &join_parts(number, |fragment| format!(" fragment f{fragment} on Query {{ a }}"))
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
                join_parts(number, |variable| format!("$v{variable}: Int "))
            )
        },
    },
    Case {
        es: "campos",
        en: "fields",
        signed_in: 5_000,
        anonymous: 1_000,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", join_parts(number - 1, |field| format!("f{field} ")))
        },
    },
    Case {
        es: "campos de primer nivel",
        en: "top-level fields",
        signed_in: 50,
        anonymous: 25,
        document: |number| format!("{{ {} }}", join_parts(number, |field| format!("f{field} "))),
    },
    Case {
        es: "alias",
        en: "aliases",
        signed_in: 50,
        anonymous: 25,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", join_parts(number, |alias| format!("a{alias}: id ")))
        },
    },
    Case {
        es: "argumentos",
        en: "arguments",
        signed_in: 1_000,
        anonymous: 100,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", join_parts(number, |field| format!("f{field}(a: 1) ")))
        },
    },
    Case {
        es: "argumentos en un solo campo o directiva",
        en: "arguments on a single field or directive",
        signed_in: 32,
        anonymous: 16,
        document: |number| {
            format!("{{ courses({}) {{ id }} }}", join_parts(number, |argument| format!("a{argument}: 1 ")))
        },
    },
    Case {
        es: "argumentos en un solo campo o directiva",
        en: "arguments on a single field or directive",
        signed_in: 32,
        anonymous: 16,
        document: |number| {
            format!(
                "{{ viewer @skip({}) {{ id }} }}",
                join_parts(number, |argument| format!("a{argument}: 1 "))
            )
        },
    },
    Case {
        es: "directivas",
        en: "directives",
        signed_in: 100,
        anonymous: 20,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", join_parts(number, |field| format!("f{field} @a ")))
        },
    },
    Case {
        es: "totalCount",
        en: "totalCount",
        signed_in: 10,
        anonymous: 10,
        document: |number| {
            format!("{{ viewer {{ {} }} }}", join_parts(number, |list| format!("l{list} {{ totalCount }} ")))
        },
    },
    Case {
        es: "fragmentos anidados directamente",
        en: "directly nested fragments",
        signed_in: 16,
        anonymous: 8,
        document: |number| {
            format!("{{ {} viewer {{ id }} {} }}", "... { ".repeat(number), "} ".repeat(number))
        },
    },
    Case {
        es: "campos que repiten el nombre de otro del mismo nivel",
        en: "fields that repeat a sibling's name",
        signed_in: 500,
        anonymous: 50,
        document: |number| format!("{{ viewer {{ id {} }} }}", "id ".repeat(number)),
    },
    Case {
        es: "campos que repiten el nombre de otro del mismo nivel",
        en: "fields that repeat a sibling's name",
        signed_in: 500,
        anonymous: 50,
        // Each repetition in the fragment counts twice: in the fragment and where the operation spreads it.
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
async fn repeated_uses_of_a_large_variable_are_limited() {
    let (hub, admin) = hub_and_admin().await;
    let twice = "query ($v: String) { a: courses(search: $v) { id } b: courses(search: $v) { id } }";
    let once = "query ($v: String) { courses(search: $v) { id } }";
    for (document, length, token, is_rejected) in [
        (once, 2_000_000, None, false),
        (twice, 60_000, None, false),
        (twice, 70_000, None, true),
        (twice, 1_000_000, Some(&admin.token), false),
        (twice, 1_100_000, Some(&admin.token), true),
    ] {
        let request =
            hub.graphql(document).variables(json!({"v": "x".repeat(length)})).header("accept-language", "en");
        let response = if let Some(token) = token { request.by(token) } else { request }.send().await;
        let message = response.body["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(
            message.contains(" bytes of variables used more than once. Accepted"),
            is_rejected,
            "{length}: {message}"
        );
    }
}

#[tokio::test]
async fn the_frontends_own_operations_are_within_the_limits() {
    let (hub, admin) = hub_and_admin().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/graphql");
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "graphql") {
            let document = fs::read_to_string(&path).unwrap();
            for token in [None, Some(&admin.token)] {
                let request = hub.graphql(&document);
                let response = if let Some(token) = token { request.by(token) } else { request }.send().await;
                assert!(
                    !response.body.to_string().contains("TOO_COMPLEX"),
                    "{}: {}",
                    path.display(),
                    response.body
                );
            }
            found += 1;
        }
    }
    assert!(found > 10, "{found} in {folder}");
}

#[tokio::test]
async fn only_signed_in_callers_get_suggestions() {
    let hub = Hub::start().await;
    let student = hub.user(Role::Student).await;
    for document in [
        "{ viewr { id } }",
        "{ viewer { emai } }",
        "{ discordPractices(filtr: 1) { totalCount } }",
        "{ viewer { id @deprecated(reasn: \"x\") } }",
    ] {
        let unknown = |body: Value| {
            let mut messages =
                body["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap());
            messages.find(|message| message.starts_with("Unknown ")).unwrap().to_owned()
        };
        let anonymous_message = unknown(hub.graphql(document).send().await.body);
        assert!(anonymous_message.ends_with('.'), "{anonymous_message}");
        let student_message = unknown(hub.graphql(document).by(&student.token).send().await.body);
        assert!(
            student_message.starts_with(&format!("{anonymous_message} Did you mean ")),
            "{student_message}"
        );
    }
}
