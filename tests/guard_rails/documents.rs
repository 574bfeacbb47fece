//! Hostile documents.

use std::time::Instant;

use serde_json::Value;

use super::{MAX_REJECTION_TIME, hub_and_admin};

#[tokio::test]
async fn hostile_documents_are_rejected_quickly() {
    let (hub, admin) = hub_and_admin().await;
    let mut codes = serde_json::Map::new();
    for (name, document) in documents() {
        let began = Instant::now();
        let response = hub.graphql(&document).by(&admin.token).send().await;
        assert!(began.elapsed() < MAX_REJECTION_TIME, "{name} took {:?}", began.elapsed());
        assert!(response.body["data"].is_null(), "{name}: {}", response.body);
        codes.insert(name.to_owned(), Value::from(response.code()));
    }
    insta::assert_json_snapshot!(codes);
    hub.graphql("{ viewer { id } }").by(&admin.token).data().await;
}

fn documents() -> Vec<(&'static str, String)> {
    let alias = |number: usize| format!("a{number}: videoPlayerEvents(first: 1) {{ totalCount }}");
    let fragments = |last: usize, next: &dyn Fn(usize) -> String| -> String {
        (0..last).map(|level| format!("fragment f{level} on Query {{ {} }} ", next(level + 1))).collect()
    };
    vec![
        ("ten thousand directives", format!("{{ viewer {{ id {} }} }}", "@skip(if: false) ".repeat(10_000))),
        ("eleven directives", format!("{{ viewer {{ id {} }} }}", "@skip(if: false) ".repeat(11))),
        (
            "a hundred aliases",
            format!("{{ {} }}", (0..100).map(alias).collect::<Vec<_>>().join(" ")),
        ),
        (
            "aliases in a repeated fragment",
            format!(
                "{{ {} }} fragment f on Query {{ {} }}",
                "...f ".repeat(10),
                (0..10).map(alias).collect::<Vec<_>>().join(" ")
            ),
        ),
        (
            "twenty large pages",
            format!(
                "{{ {} }}",
                (0..20)
                    .map(|number| format!(
                        "a{number}: practicePackageOrders(first: 500) {{ nodes {{ id userEmail teacherEmail meta }} }} "
                    ))
                    .collect::<String>()
            ),
        ),
        (
            "a fragment bomb",
            format!(
                "{{ ...f0 }} {} fragment f40 on Query {{ viewer {{ id }} }}",
                fragments(40, &|next| format!("...f{next} ...f{next}"))
            ),
        ),
        (
            "a fragment bomb with an undefined fragment",
            format!("{{ ...f0 }} {}", fragments(40, &|next| format!("...f{next} ...f{next}"))),
        ),
        (
            "two thousand unused fragments in a chain",
            format!("{{ viewer {{ id }} }} {}", fragments(2_000, &|next| format!("...f{next}"))),
        ),
        (
            "a hundred and one fragments",
            format!("{{ viewer {{ id }} }} {}", fragments(101, &|_| "viewer { id }".to_owned())),
        ),
        ("eleven total counts", format!("{{ {} }}", "discordPractices(first: 1) { totalCount } ".repeat(11))),
        ("the same field fifty-one times", format!("{{ {} }}", "courses { id } ".repeat(51))),
        (
            "ten thousand directives on a fragment",
            format!("{{ ... {} {{ viewer {{ id }} }} }}", "@skip(if: false) ".repeat(10_000)),
        ),
        (
            "ten thousand arguments",
            format!(
                "{{ courses({}) {{ id }} }}",
                (0..10_000).map(|number| format!("a{number}: 1 ")).collect::<String>()
            ),
        ),
        (
            "ten thousand variables",
            format!(
                "query ({}) {{ viewer {{ id }} }}",
                (0..10_000).map(|number| format!("$v{number}: Int ")).collect::<String>()
            ),
        ),
        (
            "a list nested a hundred thousand deep",
            format!("{{ courses(search: {}1{}) {{ id }} }}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            "fragments nested a thousand deep",
            format!(
                "{{ ...f0 }} {} fragment f1000 on Query {{ viewer {{ id }} }}",
                fragments(1000, &|next| format!("...f{next}"))
            ),
        ),
        (
            "inline fragments nested ten thousand deep",
            format!("{{ {} viewer {{ id }} {} }}", "... { ".repeat(10_000), "} ".repeat(10_000)),
        ),
        ("ten thousand braces", format!("{}{}", "{ a ".repeat(10_000), "}".repeat(10_000))),
        (
            "a list nested ten thousand deep",
            format!("{{ courses(search: {}1{}) {{ id }} }}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("a cycle of fragments", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned()),
        ("a fragment that spreads itself", "{ ...a } fragment a on Query { viewer { id } ...a }".to_owned()),
        (
            "a deep introspection query",
            format!("{{ __schema {{ types {{ fields {{ type {} }} }} }} }}", {
                format!("{}name{}", "{ ofType ".repeat(20) + "{ ", " }" .repeat(21))
            }),
        ),
    ]
}
