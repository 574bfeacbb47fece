//! The command line: what scripts rely on.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::harness::database::TestDatabase;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const MAKE_ANA: [&str; 9] = [
    "user",
    "create",
    "--email=ana@example.org",
    "--name=Ana",
    "--role=teacher_admin",
    "--permission",
    "manage-settings",
    "--password-stdin",
    "--json",
];

/// `dataporter`, with nothing set but what is given here.
fn dataporter(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    command.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    command.wait_with_output().unwrap()
}

/// The same, on a database.
fn on(database: &TestDatabase, arguments: &[&str], input: &str) -> Output {
    dataporter(arguments, &[("DATABASE_URL", database.url.expose_secret()), ("APP_KEY", KEY)], input)
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn wrong_usage_and_wrong_settings_end_with_2() {
    let (code, told_usage) = told(&dataporter(&["fly"], &[], ""));
    assert_eq!(code, Some(2), "{told_usage}");
    let wrong = [("APP_TIMEZONE", "Mars"), ("LOG_FORMAT", "verse")];
    let (code, told_settings) = told(&dataporter(&["serve", "--listen", "127.0.0.1:0"], &wrong, ""));
    assert_eq!(code, Some(2));
    assert_eq!(
        told_settings,
        "These settings are wrong:\n\
         APP_TIMEZONE accepts an IANA time zone such as Europe/Madrid\n\
         LOG_FORMAT accepts text or json\n"
    );
}

#[test]
fn the_help_of_serve_lists_every_setting() {
    let output = dataporter(&["serve", "--help"], &[], "");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for setting in backend::config::reader::settings() {
        assert!(help.contains(&format!("\n  {}  [", setting.name)), "{}", setting.name);
    }
}

#[test]
fn the_schema_is_printed_without_any_database() {
    let output = dataporter(&["schema"], &[], "");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("type Query {"));
}

#[tokio::test]
async fn a_script_makes_an_account_and_a_token_of_it() {
    let database = TestDatabase::new().await;
    let made = on(&database, &MAKE_ANA, "correct horse battery\n");
    assert!(made.status.success(), "{:?}", told(&made));
    let account: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&account["email"], &account["role"]), (&"ana@example.org".into(), &"teacher_admin".into()));

    let arguments =
        ["token", "create", "--user", "ANA@example.org", "--name", "t", "--scope", "read", "import"];
    let token = on(&database, &arguments, "");
    assert!(token.status.success(), "{:?}", told(&token));
    let printed = String::from_utf8(token.stdout).unwrap();
    assert!(printed.starts_with("dph_") && printed.lines().count() == 1, "{printed}");
}

#[tokio::test]
async fn what_cannot_be_done_ends_with_1_and_what_was_asked_wrongly_with_2() {
    let database = TestDatabase::new().await;
    let (code, weak) = told(&on(&database, &MAKE_ANA, "short\n"));
    assert_eq!(code, Some(2), "{weak}");
    assert!(weak.starts_with("password: "), "{weak}");
    let (code, missing) = told(&on(&database, &MAKE_ANA, "\n"));
    assert_eq!(
        (code, missing.as_str()),
        (Some(2), "The first line of standard input must be the password.\n")
    );

    assert!(on(&database, &MAKE_ANA, "correct horse battery\n").status.success());
    let (code, taken) = told(&on(&database, &MAKE_ANA, "correct horse battery\n"));
    assert_eq!(code, Some(1), "{taken}");

    let beyond = ["token", "create", "--user=ana@example.org", "--name=t", "--scope=platform"];
    assert_eq!(told(&on(&database, &beyond, "")).0, Some(2));
    let nobody = ["token", "create", "--user=nobody@example.org", "--name=t", "--scope=read"];
    assert_eq!(told(&on(&database, &nobody, "")).0, Some(1));
}

#[tokio::test]
async fn a_shared_database_is_migrated_only_when_asked_to() {
    let database = TestDatabase::empty().await;
    let (code, refusal) = told(&on(&database, &MAKE_ANA, "correct horse battery\n"));
    assert_eq!(code, Some(1));
    assert!(refusal.contains("run `dataporter migrate` first"), "{refusal}");

    let first: Value = serde_json::from_slice(&on(&database, &["migrate", "--json"], "").stdout).unwrap();
    assert!(!first["applied"].as_array().unwrap().is_empty());
    let second: Value = serde_json::from_slice(&on(&database, &["migrate", "--json"], "").stdout).unwrap();
    assert!(second["applied"].as_array().unwrap().is_empty());
}
