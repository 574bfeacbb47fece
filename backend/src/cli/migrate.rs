//! `dataporter migrate`

use std::path::Path;

use serde_json::json;

use super::Failure;
use super::database::CommandDatabase;
use crate::config::Config;
use crate::db;

/// The arguments of `dataporter migrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the names of the applied migrations as JSON.
    #[arg(long)]
    json: bool,
}

/// Applies the pending migrations and prints their names.
pub(super) async fn run(data_dir: &Path, config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let database = CommandDatabase::open(data_dir, config).await?;
    let applied = db::migrate(&database.url).await?;
    database.close().await?;
    if arguments.json {
        println!("{}", json!({ "applied": applied }));
    } else if applied.is_empty() {
        println!("Nothing to do: all migrations are applied.");
    } else {
        for migration in applied {
            println!("Applied {migration}");
        }
    }
    Ok(())
}
