//! However deep a request is nested, it is answered, and the server lives on.

use serde_json::{Value, json};

use super::server::Server;

/// What the parser can hold on its stack ends at 175 to 350, and at 1,250 to 1,450 in a build with optimisation. Deeper
/// than 800, or 7,800, it refuses by itself.
const DEPTHS: [usize; 18] = [
    50, 65, 100, 200, 350, 400, 500, 650, 1_000, 1_450, 2_000, 3_000, 4_000, 5_200, 6_500, 7_800, 10_000,
    20_000,
];

/// The longest address that is taken.
const MAX_ADDRESS: usize = 60_000;

/// Something that can be nested.
struct Nest {
    name: &'static str,
    before: &'static str,
    open: &'static str,
    heart: &'static str,
    close: &'static str,
    after: &'static str,
}

impl Nest {
    fn document(&self, depth: usize) -> String {
        let Self { before, open, heart, close, after, .. } = self;
        format!("{before}{}{heart}{}{after}", open.repeat(depth), close.repeat(depth))
    }
}

const fn nest(name: &'static str, [before, open, heart, close, after]: [&'static str; 5]) -> Nest {
    Nest { name, before, open, heart, close, after }
}

const NESTS: [Nest; 11] = [
    nest("lists", ["{courses(search:", "[", "1", "]", "){id}}"]),
    nest("objects", ["{courses(search:", "{a:", "1", "}", "){id}}"]),
    nest("lists and objects", ["{courses(search:", "[{a:", "1", "}]", "){id}}"]),
    nest("a list as a default", ["query($a:Int=", "[", "1", "]", "){courses(first:$a){id}}"]),
    nest("an object as a default", ["query($a:Int=", "{a:", "1", "}", "){courses(first:$a){id}}"]),
    nest("a type", ["query($a:", "[", "Int", "]", "){courses(first:$a){id}}"]),
    nest("a list in a directive", ["{viewer{id @skip(if:", "[", "1", "]", ")}}"]),
    nest("an object in a directive of an operation", ["query @a(b:", "{a:", "1", "}", "){viewer{id}}"]),
    nest("fields", ["", "{a", "", "}", ""]),
    nest("inline fragments", ["{", "...{", "viewer{id}", "}", "}"]),
    nest("lists without an end", ["{courses(search:", "[", "", "", ""]),
];

/// It is answered as GraphQL: up to the limit as the library would, else by the limit, with its number.
fn told(nest: &Nest, depth: usize, answer: &Value) {
    let name = nest.name;
    let brackets = |text: &str| text.matches(['(', '[', '{']).count();
    let error = &answer["errors"][0];
    let (code, message) = (&error["extensions"]["code"], error["message"].as_str().unwrap_or_default());
    if depth * brackets(nest.open) + brackets(nest.before) <= 62 {
        // A value that is not given is of every type.
        let is_served = answer["data"].is_object();
        let is_refused = code == "BAD_USER_INPUT" || code == "TOO_COMPLEX" || code == "UNAUTHENTICATED";
        assert!(is_served || is_refused, "{name}, {depth} deep: {answer}");
        assert!(!message.contains("open at once"), "{name}, {depth} deep: {answer}");
    } else {
        assert_eq!(code, "TOO_COMPLEX", "{name}, {depth} deep: {answer}");
        let by_limit = message.contains("open at once. Accepted: up to 64.")
            || message.contains("bytes, variables apart. Accepted: up to 65536.");
        assert!(by_limit, "{name}, {depth} deep: {answer}");
    }
}

#[tokio::test]
async fn a_document_of_any_depth_is_answered_by_post_and_get_and_the_server_lives_on() {
    let mut server = Server::start().await;
    for nest in &NESTS {
        for depth in DEPTHS {
            let document = nest.document(depth);
            told(nest, depth, &server.post(&document).send().await.body);
            if document.len() < MAX_ADDRESS {
                told(nest, depth, &server.get(&document, "{}").await);
            }
        }
    }
    server.lives_on().await;
}

#[tokio::test]
async fn a_document_of_any_depth_is_answered_in_uploads_and_subscriptions_and_the_server_lives_on() {
    let mut server = Server::start().await;
    for nest in &NESTS {
        for depth in [50, 65, 200, 350, 3_000, 20_000] {
            let document = nest.document(depth);
            let request = json!({"query": document, "variables": {"file": null}}).to_string();
            told(nest, depth, &server.upload(&request).await);
            told(nest, depth, &server.stream(&request).await);
            // A longer message is not read at all.
            if document.len() < MAX_ADDRESS {
                told(nest, depth, &server.socket(&request).await.unwrap());
            }
        }
    }
    server.lives_on().await;
}

#[tokio::test]
async fn variables_of_any_depth_are_answered_and_the_server_lives_on() {
    let mut server = Server::start().await;
    let direct = "query($file: Upload, $v: [[Int]]) { courses(search: $v) { id } import(id: $file) { id } }";
    // The value stands 60 deep in the document, and goes on from there.
    let within =
        format!("query($v: Int) {{ courses(search: {}$v{}) {{ id }} }}", "[".repeat(60), "]".repeat(60));
    for document in [direct, &within] {
        for depth in [50, 110, 120, 127, 128, 1_000, 5_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                // As text: JSON values do not go that deep in the tests either.
                let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let variables = format!(r#"{{"file": null, "v": {value}}}"#);
                let request = format!(r#"{{"query": {}, "variables": {variables}}}"#, json!(document));
                let mut answers = vec![
                    server.post_json(&request).await,
                    server.get(document, &variables).await,
                    server.upload(&request).await,
                    server.stream(&request).await,
                ];
                // A message that is no JSON for the hub ends the connection.
                answers.extend(server.socket(&request).await);
                for answer in answers {
                    let in_graphql = &answer["errors"][0]["extensions"]["code"];
                    let code = answer["code"].as_str().or(in_graphql.as_str());
                    assert_eq!(code, Some("BAD_USER_INPUT"), "{open} {depth} deep in {document}: {answer}");
                }
            }
        }
    }
    server.lives_on().await;
}
