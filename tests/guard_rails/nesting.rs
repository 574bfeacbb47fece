//! The server answers deeply nested requests without crashing.

use serde_json::{Value, json};

use super::server::Server;

/// Depths around the parser's limits. Its stack overflows at a depth of 175 to 350 in a debug build, and of
/// 1,250 to 1,450 in a release build. It rejects documents deeper than 800 or 7,800 itself.
const DEPTHS: [usize; 18] = [
    50, 65, 100, 200, 350, 400, 500, 650, 1_000, 1_450, 2_000, 3_000, 4_000, 5_200, 6_500, 7_800, 10_000,
    20_000,
];

/// The maximum length of a URL that the server accepts.
const MAX_URL_LENGTH: usize = 60_000;

/// A construct that can be nested.
struct Nesting {
    name: &'static str,
    before: &'static str,
    open: &'static str,
    inner: &'static str,
    close: &'static str,
    after: &'static str,
}

impl Nesting {
    fn document(&self, depth: usize) -> String {
        let Self { before, open, inner, close, after, .. } = self;
        format!("{before}{}{inner}{}{after}", open.repeat(depth), close.repeat(depth))
    }
}

const fn nesting(name: &'static str, [before, open, inner, close, after]: [&'static str; 5]) -> Nesting {
    Nesting { name, before, open, inner, close, after }
}

const NESTINGS: [Nesting; 11] = [
    nesting("lists", ["{courses(search:", "[", "1", "]", "){id}}"]),
    nesting("objects", ["{courses(search:", "{a:", "1", "}", "){id}}"]),
    nesting("lists and objects", ["{courses(search:", "[{a:", "1", "}]", "){id}}"]),
    nesting("a list as a default", ["query($a:Int=", "[", "1", "]", "){courses(first:$a){id}}"]),
    nesting("an object as a default", ["query($a:Int=", "{a:", "1", "}", "){courses(first:$a){id}}"]),
    nesting("a type", ["query($a:", "[", "Int", "]", "){courses(first:$a){id}}"]),
    nesting("a list in a directive", ["{viewer{id @skip(if:", "[", "1", "]", ")}}"]),
    nesting("an object in a directive of an operation", ["query @a(b:", "{a:", "1", "}", "){viewer{id}}"]),
    nesting("fields", ["", "{a", "", "}", ""]),
    nesting("inline fragments", ["{", "...{", "viewer{id}", "}", "}"]),
    nesting("unclosed lists", ["{courses(search:", "[", "", "", ""]),
];

/// Checks that the response is GraphQL. Beyond the limit, it must be an error that states the limit.
fn check(nesting: &Nesting, depth: usize, response: &Value) {
    let name = nesting.name;
    let brackets = |text: &str| text.matches(['(', '[', '{']).count();
    let error = &response["errors"][0];
    let (code, message) = (&error["extensions"]["code"], error["message"].as_str().unwrap_or_default());
    if depth * brackets(nesting.open) + brackets(nesting.before) <= 62 {
        // An empty value is valid for every type.
        let is_success = response["data"].is_object();
        let is_error = code == "BAD_USER_INPUT" || code == "TOO_COMPLEX" || code == "UNAUTHENTICATED";
        assert!(is_success || is_error, "{name}, {depth} deep: {response}");
        assert!(!message.contains("open at once"), "{name}, {depth} deep: {response}");
    } else {
        assert_eq!(code, "TOO_COMPLEX", "{name}, {depth} deep: {response}");
        let by_limit = message.contains("open at once. Accepted: up to 64.")
            || message.contains("bytes, not counting variables. Accepted: up to 65536.");
        assert!(by_limit, "{name}, {depth} deep: {response}");
    }
}

#[tokio::test]
async fn nested_documents_are_answered_over_post_and_get() {
    let mut server = Server::start().await;
    for nesting in &NESTINGS {
        for depth in DEPTHS {
            let document = nesting.document(depth);
            check(nesting, depth, &server.post(&document).send().await.body);
            if document.len() < MAX_URL_LENGTH {
                check(nesting, depth, &server.get(&document, "{}").await);
            }
        }
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn nested_documents_are_answered_in_uploads_and_subscriptions() {
    let mut server = Server::start().await;
    for nesting in &NESTINGS {
        for depth in [50, 65, 200, 350, 3_000, 20_000] {
            let document = nesting.document(depth);
            let request = json!({"query": document, "variables": {"file": null}}).to_string();
            check(nesting, depth, &server.upload(&request).await);
            check(nesting, depth, &server.stream(&request).await);
            // The server does not read longer messages.
            if document.len() < MAX_URL_LENGTH {
                check(nesting, depth, &server.socket(&request).await.unwrap());
            }
        }
    }
    server.assert_alive().await;
}

#[tokio::test]
async fn nested_variables_are_answered() {
    let mut server = Server::start().await;
    let direct = "query($file: Upload, $v: [[Int]]) { courses(search: $v) { id } import(id: $file) { id } }";
    // The variable is used 60 levels deep in the document, and its value is nested further.
    let nested =
        format!("query($v: Int) {{ courses(search: {}$v{}) {{ id }} }}", "[".repeat(60), "]".repeat(60));
    for document in [direct, &nested] {
        for depth in [50, 110, 120, 127, 128, 1_000, 5_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                // Built as text, because serde_json cannot represent values of this depth either.
                let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let variables = format!(r#"{{"file": null, "v": {value}}}"#);
                let request = format!(r#"{{"query": {}, "variables": {variables}}}"#, json!(document));
                let mut responses = vec![
                    server.post_json(&request).await,
                    server.get(document, &variables).await,
                    server.upload(&request).await,
                    server.stream(&request).await,
                ];
                // A message that the hub cannot parse as JSON closes the connection.
                responses.extend(server.socket(&request).await);
                for response in responses {
                    let in_graphql = &response["errors"][0]["extensions"]["code"];
                    let code = response["code"].as_str().or(in_graphql.as_str());
                    assert_eq!(code, Some("BAD_USER_INPUT"), "{open} {depth} deep in {document}: {response}");
                }
            }
        }
    }
    server.assert_alive().await;
}
