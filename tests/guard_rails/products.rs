//! What is small enough by each number may be large by the product of two: none of it takes memory or time to speak of.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::Server;

/// The most that a request may take beside what the server has in use, in a build without optimisation.
const MAX_BYTES: u64 = 96 << 20;

/// The longest that a request may take there, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(15);

#[tokio::test]
async fn no_product_of_a_documents_numbers_takes_much_memory_or_time() {
    let mut server = Server::start().await;
    server.lives_on().await;
    for (name, document, variables) in documents() {
        for token in [None, Some(&server.admin)] {
            let (before, _) = server.memory();
            let began = Instant::now();
            let ask = server.post(&document).variables(variables.clone());
            let answer = if let Some(token) = token { ask.by(token) } else { ask }.send().await;
            let (took, (_, most)) = (began.elapsed(), server.memory());
            let who = if token.is_some() { "signed in" } else { "anonymous" };
            println!("{name}, {who}: {} KiB, {took:?}", most.saturating_sub(before) >> 10);
            assert!(answer.body["errors"][0]["extensions"]["code"].is_string(), "{name}: {}", answer.body);
            assert!(most < before + MAX_BYTES, "{name}, {who}: {before} bytes became {most}");
            assert!(took < MAX_TIME, "{name}, {who}: {took:?}");
        }
    }
    server.lives_on().await;
}

/// So many pieces, numbered.
fn pieces(number: usize, piece: impl Fn(usize) -> String) -> String {
    (0..number).map(piece).collect()
}

/// Text within inline fragments within each other.
fn within(fragments: usize, text: &str) -> String {
    format!("{{{}{text}{}}}", "...{".repeat(fragments), "}".repeat(fragments))
}

/// A field that repeats a name whose first field has these arguments.
fn repeated(arguments: usize, times: usize, fragments: usize) -> String {
    let arguments = pieces(arguments, |number| format!("a{number}:1 "));
    format!("{{viewer{}}}", within(fragments, &format!("id({arguments}){}", " id".repeat(times))))
}

fn documents() -> Vec<(&'static str, String, Value)> {
    let none = || json!({});
    let long = |letter: &str| letter.repeat(250);
    vec![
        ("arguments, repetitions and fragments, all at once", repeated(900, 3_900, 30), none()),
        ("arguments and repetitions, as many as whoever is signed in may have", repeated(32, 500, 0), none()),
        ("fragments too, as many as whoever is signed in may have", repeated(32, 500 / 17, 16), none()),
        ("arguments and repetitions, as many as anybody may have", repeated(16, 50, 0), none()),
        ("fragments too, as many as anybody may have", repeated(16, 50 / 9, 8), none()),
        (
            "as many fields as there may be, in fragments within each other",
            format!("{{viewer{}}}", within(16, &pieces(4_900, |number| format!("a{number} ")))),
            none(),
        ),
        ("2 MiB of fields", format!("{{{}}}", "a ".repeat((2 << 20) / 2 - 100)), none()),
        ("64 KiB of fields", format!("{{{}}}", "a ".repeat(32_000)), none()),
        ("64 KiB of fields with fields", format!("{{{}}}", "a{b}".repeat(16_000)), none()),
        ("64 KiB of inline fragments", format!("{{{}}}", "...{a}".repeat(10_500)), none()),
        ("64 KiB of spreads", format!("{{{}}}fragment a on Query{{b}}", "...a".repeat(16_000)), none()),
        ("64 KiB of directives", format!("{{a{}}}", "@a".repeat(32_000)), none()),
        ("64 KiB of numbers", format!("{{courses(search:[{}]){{id}}}}", "1 ".repeat(32_000)), none()),
        ("64 KiB of lists", format!("{{courses(search:[{}]){{id}}}}", "[]".repeat(32_000)), none()),
        ("64 KiB of objects", format!("{{courses(search:[{}]){{id}}}}", "{a:1}".repeat(13_000)), none()),
        ("64 KiB of texts", format!("{{courses(search:[{}]){{id}}}}", "\"\" ".repeat(21_000)), none()),
        (
            "64 KiB of quotes without an end",
            format!("{{courses(search:[{}", "\"\\\"\"\" ".repeat(12_000)),
            none(),
        ),
        (
            "64 KiB of default values",
            format!("query($a:[Int]=[{}]){{courses(first:$a){{id}}}}", "1 ".repeat(32_000)),
            none(),
        ),
        (
            "a large variable used a thousand times",
            format!("query($a:String){{courses(search:[{}]){{id}}}}", "$a ".repeat(1_000)),
            json!({"a": "x".repeat(1 << 20)}),
        ),
        (
            "a large variable used by fifty fields",
            format!(
                "query($a:String){{{}}}",
                pieces(50, |number| format!("a{number}:courses(search:$a){{id}}"))
            ),
            json!({"a": "x".repeat(1 << 20)}),
        ),
        (
            "a large default used ten thousand times",
            format!(
                "query($a:String=\"{}\"){{courses(search:[{}]){{id}}}}",
                "x".repeat(32_000),
                "$a ".repeat(10_000)
            ),
            none(),
        ),
        (
            "a long type expected a thousand times",
            format!("query($a:{}){{import(id:[{}]){{id}}}}", "x".repeat(30_000), "$a ".repeat(1_000)),
            none(),
        ),
        (
            "long names that nobody defined, in each of twenty operations",
            format!(
                "{}fragment f on Query{{courses(search:[{}]){{id}}}}",
                pieces(20, |number| format!("query {}{number}{{...f}}", long("q"))),
                pieces(200, |number| format!("${}{number} ", long("v")))
            ),
            none(),
        ),
        (
            "fields with names that are long, each like many others",
            format!("{{viewer{{{}}}}}", pieces(250, |number| format!("{}{number} ", long("e")))),
            none(),
        ),
        (
            "five thousand fields that are almost right",
            format!("{{viewer{{{}}}}}", pieces(4_900, |number| format!("emai{number} "))),
            none(),
        ),
    ]
}
