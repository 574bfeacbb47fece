//! A document within every single limit can still be expensive if limits multiply. None of these documents
//! takes much memory or time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::join_parts;
use super::server::Server;

/// The maximum additional memory that a request may use, in a debug build.
const MAX_BYTES: u64 = 96 << 20;

/// The maximum duration of a request, in a debug build on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(15);

#[tokio::test]
async fn no_document_uses_much_memory_or_time() {
    let mut server = Server::start().await;
    server.assert_alive().await;
    for (name, document, variables) in documents() {
        for token in [None, Some(&server.admin)] {
            let (before, _) = server.memory();
            let began = Instant::now();
            let request = server.post(&document).variables(variables.clone());
            let response = if let Some(token) = token { request.by(token) } else { request }.send().await;
            let (elapsed, (_, peak)) = (began.elapsed(), server.memory());
            let caller = if token.is_some() { "signed in" } else { "anonymous" };
            println!("{name}, {caller}: {} KiB, {elapsed:?}", peak.saturating_sub(before) >> 10);
            assert!(
                response.body["errors"][0]["extensions"]["code"].is_string(),
                "{name}: {}",
                response.body
            );
            assert!(peak < before + MAX_BYTES, "{name}, {caller}: memory grew from {before} to {peak} bytes");
            assert!(elapsed < MAX_TIME, "{name}, {caller}: {elapsed:?}");
        }
    }
    server.assert_alive().await;
}

/// Text in nested inline fragments.
fn nested(fragments: usize, text: &str) -> String {
    format!("{{{}{text}{}}}", "...{".repeat(fragments), "}".repeat(fragments))
}

/// A field with arguments, followed by repetitions of its name, in nested inline fragments.
fn repeated(arguments: usize, times: usize, fragments: usize) -> String {
    let arguments = join_parts(arguments, |number| format!("a{number}:1 "));
    format!("{{viewer{}}}", nested(fragments, &format!("id({arguments}){}", " id".repeat(times))))
}

fn documents() -> Vec<(&'static str, String, Value)> {
    let none = || json!({});
    let long = |letter: &str| letter.repeat(250);
    vec![
        ("arguments, repetitions and fragments together", repeated(900, 3_900, 30), none()),
        ("arguments and repetitions, at the limits for signed-in callers", repeated(32, 500, 0), none()),
        ("fragments too, at the limits for signed-in callers", repeated(32, 500 / 17, 16), none()),
        ("arguments and repetitions, at the limits for anonymous callers", repeated(16, 50, 0), none()),
        ("fragments too, at the limits for anonymous callers", repeated(16, 50 / 9, 8), none()),
        (
            "the maximum number of fields, in nested fragments",
            format!("{{viewer{}}}", nested(16, &join_parts(4_900, |number| format!("a{number} ")))),
            none(),
        ),
        ("2 MiB of fields", format!("{{{}}}", "a ".repeat((2 << 20) / 2 - 100)), none()),
        ("64 KiB of fields", format!("{{{}}}", "a ".repeat(32_000)), none()),
        ("64 KiB of fields with subfields", format!("{{{}}}", "a{b}".repeat(16_000)), none()),
        ("64 KiB of inline fragments", format!("{{{}}}", "...{a}".repeat(10_500)), none()),
        ("64 KiB of spreads", format!("{{{}}}fragment a on Query{{b}}", "...a".repeat(16_000)), none()),
        ("64 KiB of directives", format!("{{a{}}}", "@a".repeat(32_000)), none()),
        ("64 KiB of numbers", format!("{{courses(search:[{}]){{id}}}}", "1 ".repeat(32_000)), none()),
        ("64 KiB of lists", format!("{{courses(search:[{}]){{id}}}}", "[]".repeat(32_000)), none()),
        ("64 KiB of objects", format!("{{courses(search:[{}]){{id}}}}", "{a:1}".repeat(13_000)), none()),
        ("64 KiB of strings", format!("{{courses(search:[{}]){{id}}}}", "\"\" ".repeat(21_000)), none()),
        (
            "64 KiB of escaped quotes in unclosed strings",
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
                join_parts(50, |number| format!("a{number}:courses(search:$a){{id}}"))
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
            "long undefined variable names in each of twenty operations",
            format!(
                "{}fragment f on Query{{courses(search:[{}]){{id}}}}",
                join_parts(20, |number| format!("query {}{number}{{...f}}", long("q"))),
                join_parts(200, |number| format!("${}{number} ", long("v")))
            ),
            none(),
        ),
        (
            "fields with long and similar names",
            format!("{{viewer{{{}}}}}", join_parts(250, |number| format!("{}{number} ", long("e")))),
            none(),
        ),
        (
            "five thousand misspelled fields",
            format!("{{viewer{{{}}}}}", join_parts(4_900, |number| format!("emai{number} "))),
            none(),
        ),
    ]
}
