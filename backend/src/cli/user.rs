//! `dataporter user …`

use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use domain::Role;
use secrecy::SecretString;
use serde_json::json;

use super::Failure;
use super::database::CommandDatabase;
use crate::auth::account::{Registration, create_user};
use crate::auth::password::Passwords;
use crate::config::Config;

/// The subcommands of `dataporter user`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Create an account. The password is read from the first line of standard input.
    Create(Create),
}

/// The arguments of `dataporter user create`.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The email address to sign in with.
    #[arg(long)]
    email: String,
    /// The name of the person or program.
    #[arg(long)]
    name: String,
    /// The role of the account.
    #[arg(long, value_parser = role())]
    role: Role,
    /// A permission in addition to the role.
    #[arg(long, value_parser = ["manage-settings"])]
    permission: Option<String>,
    /// Read the password from standard input, so that it does not appear in the process list.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Print the account as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a subcommand.
pub(super) async fn run(data_dir: &Path, config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(create) => create.run(data_dir, config).await,
    }
}

impl Create {
    async fn run(self, data_dir: &Path, config: &Config) -> Result<(), Failure> {
        let password = read_password()?;
        let database = CommandDatabase::open_migrated(data_dir, config).await?;
        let pool = database.pool();
        let mut conn = pool.get().await.context("Failed to connect to the database")?;
        let registration = Registration {
            name: &self.name,
            email: &self.email,
            role: self.role,
            manage_settings: self.permission.is_some().then_some(true),
            password,
        };
        let created = create_user(&mut conn, &Passwords::new()?, registration).await;
        drop(conn);
        pool.close();
        database.close().await?;
        let user = created?;
        if self.json {
            println!("{}", json!({ "id": user.id, "email": user.email, "role": user.role.key() }));
        } else {
            println!("Created account {} ({}) for {}", user.id, user.role.key(), user.email);
        }
        Ok(())
    }
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::key))
        .map(|key| Role::parse(&key).expect("clap accepts only the keys of roles"))
}

fn read_password() -> Result<SecretString, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("Failed to read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::Usage("The first line of standard input must be the password.".to_owned()));
    }
    Ok(SecretString::from(password))
}
