//! `dataporter token …`

use std::path::Path;

use anyhow::{Context as _, anyhow};
use chrono::TimeDelta;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use domain::access::TokenScope;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::Failure;
use super::database::CommandDatabase;
use crate::auth::api_token::create_api_token;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;
use crate::models::api_token::ApiToken;
use crate::models::user::User;

/// The subcommands of `dataporter token`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Create an API token and print it. It is not shown again.
    Create(Create),
}

/// The arguments of `dataporter token create`.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The email address of the account that the token acts for.
    #[arg(long, value_name = "EMAIL")]
    user: String,
    /// A name for the token.
    #[arg(long)]
    name: String,
    /// What the token may do; accepts several scopes.
    #[arg(long = "scope", required = true, num_args = 1.., value_delimiter = ',', value_parser = scope())]
    scopes: Vec<TokenScope>,
    /// The number of days until the token expires; by default it is valid until it is revoked.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    expires_in_days: Option<u16>,
    /// Print the token and its details as JSON.
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
        let database = CommandDatabase::open_migrated(data_dir, config).await?;
        let pool = database.pool();
        let created = self.create(&pool).await;
        pool.close();
        database.close().await?;
        let (secret, token) = created?;
        if self.json {
            let created = json!({
                "id": token.id,
                "token": secret.expose_secret(),
                "scopes": token.scopes().into_iter().map(TokenScope::key).collect::<Vec<_>>(),
                "expiresAt": token.expires_at,
            });
            println!("{created}");
        } else {
            println!("{}", secret.expose_secret());
        }
        Ok(())
    }

    async fn create(&self, pool: &Pool) -> Result<(SecretString, ApiToken), Failure> {
        let now = Clock::system().now();
        let expires_at = self.expires_in_days.map(|days| now + TimeDelta::days(days.into()));
        let mut conn = pool.get().await.context("Failed to connect to the database")?;
        let owner = User::find_by_email(&mut conn, &self.user).await.context("Failed to read the account")?;
        let owner = owner
            .filter(|owner| owner.active)
            .ok_or_else(|| anyhow!("There is no active account with the email address {}", self.user))?;
        Ok(create_api_token(&mut conn, &owner, &self.name, &self.scopes, expires_at, now).await?)
    }
}

fn scope() -> impl clap::builder::TypedValueParser<Value = TokenScope> {
    PossibleValuesParser::new(TokenScope::ALL.map(TokenScope::key))
        .map(|key| TokenScope::parse(&key).expect("clap accepts only the keys of scopes"))
}
