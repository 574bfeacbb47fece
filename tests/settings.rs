//! Settings: all errors are reported at once, secrets are never repeated, and the example file is up to date.

use std::fs;
use std::path::Path;

use backend::config::{self, Config, Variables};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The error for these environment variables.
fn load_error<const N: usize>(variables: [(&str, &str); N]) -> String {
    let data_dir = tempfile::tempdir().unwrap();
    Config::load(Variables::from(variables), data_dir.path()).unwrap_err().to_string()
}

#[test]
fn all_invalid_settings_are_reported_at_once() {
    insta::assert_snapshot!(load_error([
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
fn invalid_tls_parameters_are_reported_without_the_database_url() {
    for (parameters, reason) in [
        ("sslmode=allow", "sslmode must be disable, prefer, require, verify-ca or verify-full"),
        ("sslmode=verify-ca", "sslmode=verify-ca requires sslrootcert, a file with CA certificates"),
        ("sslrootcert=system&sslmode=require", "sslrootcert=system requires sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert /nowhere/ca.pem: "),
    ] {
        let url = format!("postgresql://hub:hunter2@localhost/hub?{parameters}");
        let error = load_error([("DATABASE_URL", url.as_str()), ("APP_KEY", KEY)]);
        let expected = format!("DATABASE_URL has invalid TLS parameters: {reason}");
        assert!(error.starts_with(&expected) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_invalid_value_is_never_repeated() {
    let error = load_error([("DATABASE_URL", "postgres:hunter2"), ("APP_KEY", "hunter2")]);
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn debug_output_of_the_configuration_has_no_secrets() {
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
    let error = load_error([("DATABASE_URL", "postgresql://localhost/hub")]);
    assert!(error.starts_with("APP_KEY is required with DATABASE_URL"), "{error}");
}

#[test]
fn the_example_file_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    let current = config::env_example();
    if fs::read_to_string(&path).unwrap_or_default() != current {
        fs::write(&path, current).unwrap();
        panic!(".env.example was out of date and has been rewritten. Review and commit the change.");
    }
}
