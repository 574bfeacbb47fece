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

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make an account; the password is the first line of standard input.
    Create(Create),
}

/// The account to make.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The person's or program's name.
    #[arg(long)]
    name: String,
    /// What they are in the academy.
    #[arg(long, value_parser = role())]
    role: Role,
    /// A permission beside the role.
    #[arg(long, value_parser = ["manage-settings"])]
    permission: Option<String>,
    /// Read the password from standard input: it must not be seen in the list of processes.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Print the account as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
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
        let mut conn = pool.get().await.context("The database cannot be reached")?;
        let registration = Registration {
            name: &self.name,
            email: &self.email,
            role: self.role,
            manage_settings: self.permission.is_some().then_some(true),
            password,
        };
        let made = create_user(&mut conn, &Passwords::new()?, registration).await;
        drop(conn);
        pool.close();
        database.close().await?;
        let user = made?;
        if self.json {
            println!("{}", json!({ "id": user.id, "email": user.email, "role": user.role.key() }));
        } else {
            println!("Made the account {} ({}) of {}", user.id, user.role.key(), user.email);
        }
        Ok(())
    }
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::key))
        .map(|key| Role::parse(&key).expect("only keys of roles are possible"))
}

fn read_password() -> Result<SecretString, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("The password cannot be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::Usage("The first line of standard input must be the password.".to_owned()));
    }
    Ok(SecretString::from(password))
}
