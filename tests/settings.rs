//! Settings: all that is wrong is named at once, nothing secret is repeated, and the lists of them are current.

use std::fs;
use std::path::Path;

use backend::config::{self, Config, Variables};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn refusal<const N: usize>(variables: [(&str, &str); N]) -> String {
    let data_dir = tempfile::tempdir().unwrap();
    Config::load(Variables::from(variables), data_dir.path()).unwrap_err().to_string()
}

#[test]
fn all_wrong_settings_are_named_at_once_with_what_is_accepted() {
    insta::assert_snapshot!(refusal([
        ("APP_KEY", "short,0123456789abcdef0123456789abcdef"),
        ("APP_TIMEZONE", "Mars/Olympus"),
        ("APP_LOCALE", "fr"),
        ("APP_URL", "hub.example.org"),
        ("DATABASE_URL", "mysql://root@localhost/hub"),
        ("DATABASE_POOL_SIZE", "0"),
        ("GA4_BASE_URL", "http://www.google-analytics.com"),
        ("GRAPHIQL", "perhaps"),
        ("PLAYER_ORIGINS", "https://player.example.org/path"),
        ("SMTP_URL", "smtp://127.0.0.1:25"),
        ("AUTH_HS256_SECRET", KEY),
    ]));
}

#[test]
fn what_an_address_says_wrongly_of_tls_is_told_and_the_address_is_not_repeated() {
    for (parameters, reason) in [
        ("sslmode=allow", "sslmode accepts disable, prefer, require, verify-ca or verify-full"),
        ("sslmode=verify-ca", "sslmode=verify-ca needs sslrootcert, a file of authorities"),
        ("sslrootcert=system&sslmode=require", "sslrootcert=system goes with sslmode=verify-full only"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert /nowhere/ca.pem: "),
    ] {
        let url = format!("postgresql://hub:hunter2@localhost/hub?{parameters}");
        let refusal = refusal([("DATABASE_URL", url.as_str()), ("APP_KEY", KEY)]);
        let expected = format!("DATABASE_URL asks for TLS in a way that does not work: {reason}");
        assert!(refusal.starts_with(&expected) && !refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn a_wrong_value_is_never_repeated() {
    let refusal = refusal([("DATABASE_URL", "postgres:hunter2"), ("APP_KEY", "hunter2")]);
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn secrets_do_not_show_in_a_printed_configuration() {
    let url = "postgresql://hub:hunter2@localhost/hub";
    let printed = format!("{:?}", Config::for_database(url, KEY));
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let data_dir = tempfile::tempdir().unwrap();
    let variables = Variables::from([("DATABASE_URL", ""), ("APP_LOCALE", " ")]);
    let config = Config::load(variables, data_dir.path()).unwrap();
    assert!(config.database.url.is_none());
}

#[test]
fn a_shared_database_needs_an_application_key() {
    let refusal = refusal([("DATABASE_URL", "postgresql://localhost/hub")]);
    assert!(refusal.starts_with("APP_KEY is needed beside DATABASE_URL"), "{refusal}");
}

#[test]
fn the_example_of_settings_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    let current = config::env_example();
    if fs::read_to_string(&path).unwrap_or_default() != current {
        fs::write(&path, current).unwrap();
        panic!(".env.example was out of date and is rewritten: commit it");
    }
}
