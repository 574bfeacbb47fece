//! What scripts rely on when they run the command line.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::harness::database::TestDatabase;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const CREATE_ANA: [&str; 9] = [
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

/// Runs `dataporter` with only these environment variables.
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
    // The command may exit without reading its input.
    command.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    command.wait_with_output().unwrap()
}

/// Runs `dataporter` on a database.
fn run_on(database: &TestDatabase, arguments: &[&str], input: &str) -> Output {
    dataporter(arguments, &[("DATABASE_URL", database.url.expose_secret()), ("APP_KEY", KEY)], input)
}

fn code_and_stderr(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn wrong_usage_and_invalid_settings_exit_with_2() {
    let (code, stderr) = code_and_stderr(&dataporter(&["fly"], &[], ""));
    assert_eq!(code, Some(2), "{stderr}");
    let invalid = [("APP_TIMEZONE", "Mars"), ("LOG_FORMAT", "verse")];
    let (code, stderr) = code_and_stderr(&dataporter(&["serve", "--listen", "127.0.0.1:0"], &invalid, ""));
    assert_eq!(code, Some(2));
    assert_eq!(
        stderr,
        "Invalid settings:\n\
         APP_TIMEZONE must be an IANA time zone such as Europe/Madrid\n\
         LOG_FORMAT must be text or json\n"
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
fn the_schema_command_needs_no_database() {
    let output = dataporter(&["schema"], &[], "");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("type Query {"));
}

#[tokio::test]
async fn a_script_creates_an_account_and_a_token_for_it() {
    let database = TestDatabase::new().await;
    let created = run_on(&database, &CREATE_ANA, "correct horse battery\n");
    assert!(created.status.success(), "{:?}", code_and_stderr(&created));
    let account: Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!((&account["email"], &account["role"]), (&"ana@example.org".into(), &"teacher_admin".into()));

    let arguments =
        ["token", "create", "--user", "ANA@example.org", "--name", "t", "--scope", "read", "import"];
    let token = run_on(&database, &arguments, "");
    assert!(token.status.success(), "{:?}", code_and_stderr(&token));
    let printed = String::from_utf8(token.stdout).unwrap();
    assert!(printed.starts_with("dph_") && printed.lines().count() == 1, "{printed}");
}

#[tokio::test]
async fn failures_exit_with_1_and_invalid_arguments_with_2() {
    let database = TestDatabase::new().await;
    let (code, stderr) = code_and_stderr(&run_on(&database, &CREATE_ANA, "short\n"));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.starts_with("password: "), "{stderr}");
    let (code, stderr) = code_and_stderr(&run_on(&database, &CREATE_ANA, "\n"));
    assert_eq!(
        (code, stderr.as_str()),
        (Some(2), "The first line of standard input must be the password.\n")
    );

    assert!(run_on(&database, &CREATE_ANA, "correct horse battery\n").status.success());
    let (code, stderr) = code_and_stderr(&run_on(&database, &CREATE_ANA, "correct horse battery\n"));
    assert_eq!(code, Some(1), "{stderr}");

    let forbidden_scope = ["token", "create", "--user=ana@example.org", "--name=t", "--scope=platform"];
    assert_eq!(code_and_stderr(&run_on(&database, &forbidden_scope, "")).0, Some(2));
    let unknown_user = ["token", "create", "--user=nobody@example.org", "--name=t", "--scope=read"];
    assert_eq!(code_and_stderr(&run_on(&database, &unknown_user, "")).0, Some(1));
}

#[tokio::test]
async fn a_shared_database_is_migrated_only_on_request() {
    let database = TestDatabase::empty().await;
    let (code, stderr) = code_and_stderr(&run_on(&database, &CREATE_ANA, "correct horse battery\n"));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("run `dataporter migrate` first"), "{stderr}");

    let first: Value = serde_json::from_slice(&run_on(&database, &["migrate", "--json"], "").stdout).unwrap();
    assert!(!first["applied"].as_array().unwrap().is_empty());
    let second: Value =
        serde_json::from_slice(&run_on(&database, &["migrate", "--json"], "").stdout).unwrap();
    assert!(second["applied"].as_array().unwrap().is_empty());
}
