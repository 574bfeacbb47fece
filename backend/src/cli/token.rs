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

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make an API token and print it, this once.
    Create(Create),
}

/// The token to make.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The e-mail address of the account whose rights the token carries.
    #[arg(long, value_name = "EMAIL")]
    user: String,
    /// What its owner calls it.
    #[arg(long)]
    name: String,
    /// What the token may do; several are possible.
    #[arg(long = "scope", required = true, num_args = 1.., value_delimiter = ',', value_parser = scope())]
    scopes: Vec<TokenScope>,
    /// The days after which it is refused; without this, it is good until it is revoked.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    expires_in_days: Option<u16>,
    /// Print the token and what is known of it as JSON.
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
        let database = CommandDatabase::open_migrated(data_dir, config).await?;
        let pool = database.pool();
        let made = self.make(&pool).await;
        pool.close();
        database.close().await?;
        let (secret, token) = made?;
        if self.json {
            let made = json!({
                "id": token.id,
                "token": secret.expose_secret(),
                "scopes": token.scopes().into_iter().map(TokenScope::key).collect::<Vec<_>>(),
                "expiresAt": token.expires_at,
            });
            println!("{made}");
        } else {
            println!("{}", secret.expose_secret());
        }
        Ok(())
    }

    async fn make(&self, pool: &Pool) -> Result<(SecretString, ApiToken), Failure> {
        let now = Clock::system().now();
        let expires_at = self.expires_in_days.map(|days| now + TimeDelta::days(days.into()));
        let mut conn = pool.get().await.context("The database cannot be reached")?;
        let owner = User::by_email(&mut conn, &self.user).await.context("The account cannot be read")?;
        let owner = owner
            .filter(|owner| owner.active)
            .ok_or_else(|| anyhow!("There is no active account of {}", self.user))?;
        Ok(create_api_token(&mut conn, &owner, &self.name, &self.scopes, expires_at, now).await?)
    }
}

fn scope() -> impl clap::builder::TypedValueParser<Value = TokenScope> {
    PossibleValuesParser::new(TokenScope::ALL.map(TokenScope::key))
        .map(|key| TokenScope::parse(&key).expect("only keys of scopes are possible"))
}
