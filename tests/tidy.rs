//! Checks the layers of ARCHITECTURE.md: the modules that each part must not use.

use std::fs;
use std::path::{Path, PathBuf};

/// The path prefix of each part, and the texts that its code must not contain.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("domain/src/", &["std::fs", "std::net", "std::env", "std::process", "tokio", "diesel", "Utc::now"]),
    ("embedded_postgres/src/", &["backend::", "domain::", "diesel"]),
    ("frontend/src/", &["backend::", "diesel", "tokio"]),
    (
        "backend/src/db",
        &[METRICS, MODELS, SOURCE, AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI],
    ),
    (
        "backend/src/models",
        &[METRICS, AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI],
    ),
    (
        "backend/src/metrics",
        &["diesel", SOURCE, AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI],
    ),
    (
        "backend/src/source",
        &[METRICS, MODELS, AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI],
    ),
    ("backend/src/auth", &[EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI]),
    ("backend/src/export", &[IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI]),
    ("backend/src/import", &[EXPORT, MIRROR, PRACTICES, GRAPHQL, HTTP, CLI]),
    ("backend/src/mirror", &[EXPORT, IMPORT, PRACTICES, GRAPHQL, HTTP, CLI]),
    ("backend/src/practices", &[AUTH, EXPORT, IMPORT, MIRROR, TELEMETRY, GRAPHQL, HTTP, CLI]),
    ("backend/src/telemetry", &[EXPORT, IMPORT, MIRROR, PRACTICES, GRAPHQL, HTTP, CLI]),
    (
        "backend/src/notification",
        &["diesel", AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI],
    ),
    ("backend/src/mail", &["diesel", AUTH, EXPORT, IMPORT, MIRROR, PRACTICES, TELEMETRY, GRAPHQL, HTTP, CLI]),
    ("backend/src/jobs", &["diesel", GRAPHQL, HTTP, CLI]),
    ("backend/src/graphql", &["diesel", CLI]),
    ("backend/src/http", &["diesel", CLI]),
    ("tests/stand_ins/src/", &["backend::", "domain::", "diesel"]),
];
const METRICS: &str = "crate::metrics";
const MODELS: &str = "crate::models";
const SOURCE: &str = "crate::source";
const AUTH: &str = "crate::auth";
const EXPORT: &str = "crate::export";
const IMPORT: &str = "crate::import";
const MIRROR: &str = "crate::mirror";
const PRACTICES: &str = "crate::practices";
const TELEMETRY: &str = "crate::telemetry";
const GRAPHQL: &str = "crate::graphql";
const HTTP: &str = "crate::http";
const CLI: &str = "crate::cli";

#[test]
fn no_part_uses_a_layer_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for (part, forbidden) in FORBIDDEN {
        let files = sources(&root, part);
        assert!(!files.is_empty(), "{part} has no sources");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in code {
                if let Some(forbidden_name) = forbidden.iter().find(|name| line.contains(**name)) {
                    found.push(format!("{}:{}: {forbidden_name}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Files of the backend may contain SQL only if their paths have one of these prefixes.
const SQL_PARTS: [&str; 3] = ["backend/src/db", "backend/src/models", "backend/src/source"];

#[test]
fn sql_is_in_models_source_and_db() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let allowed: Vec<PathBuf> = SQL_PARTS.iter().flat_map(|part| sources(&root, part)).collect();
    let has_sql =
        |line: &str| ["sql_query", "batch_execute", "push_sql"].iter().any(|call| line.contains(call));
    let others: Vec<String> = sources(&root, "backend/src/")
        .into_iter()
        .filter(|file| !allowed.contains(file))
        .filter(|file| fs::read_to_string(file).unwrap().lines().any(has_sql))
        .map(|file| file.display().to_string())
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn advisory_lock_keys_are_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let is_key = |line: &str| line.contains("advisory_lock(") || line.contains("hashtextextended(");
    let others: Vec<String> = ["domain/src/", "backend/src/"]
        .into_iter()
        .flat_map(|part| sources(&root, part))
        .filter(|file| !file.ends_with("db/advisory_lock.rs"))
        .filter(|file| fs::read_to_string(file).unwrap().lines().any(is_key))
        .map(|file| file.display().to_string())
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// `missing_docs` cannot make an exception for fields, whose names mostly say it all.
#[test]
fn public_types_and_functions_have_docs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut undocumented = Vec::new();
    for file in
        ["domain/src/", "backend/src/", "frontend/src/"].into_iter().flat_map(|part| sources(&root, part))
    {
        if file.ends_with("db/schema.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let is_public_item = line.strip_prefix("pub ").is_some_and(|item| {
                ITEMS.iter().any(|keyword| item.starts_with(keyword)) && !item.ends_with("();")
            });
            if is_public_item && !before_attributes(&lines[..number]).starts_with("///") {
                undocumented.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

/// The keywords of items that need docs.
const ITEMS: [&str; 8] = ["fn ", "async fn ", "const ", "struct ", "enum ", "trait ", "type ", "static "];

/// The last of these lines that does not belong to an attribute.
fn before_attributes<'a>(lines: &[&'a str]) -> &'a str {
    let mut lines = lines.iter().rev();
    while let Some(line) = lines.next() {
        if !line.ends_with(']') {
            return line;
        }
        if !line.starts_with("#[") {
            lines.find(|line| line.starts_with("#["));
        }
    }
    ""
}

/// The Rust files of a part, given by its path prefix from the root.
fn sources(root: &Path, part: &str) -> Vec<PathBuf> {
    let (folder, name) = part.rsplit_once('/').unwrap();
    let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let matching = entries.filter(|path| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if name.is_empty() { true } else { stem == name }
    });
    matching
        .flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// All files in a folder and its subfolders.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}
