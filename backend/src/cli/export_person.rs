//! `dataporter export-person`

use std::path::Path;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use domain::ExportFormat;
use domain::filter::parse_id;

use super::Failure;
use super::database::with_app;
use super::export::{defaults, ended};
use crate::app::App;
use crate::auth::account::USER_NOT_FOUND;
use crate::config::Config;
use crate::error::Error;
use crate::export::person::{PERSON, PersonExport, PersonRequest};
use crate::models::user::User;

/// The arguments of `dataporter export-person`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The ID or the e-mail address of the person.
    person: String,
    /// The format of the files in the archive.
    #[arg(
        long,
        default_value = ExportFormat::Csv.key(),
        value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::key))
    )]
    format: String,
    /// The language of readable headers: es or en.
    #[arg(long)]
    locale: Option<String>,
    /// The time zone of timestamps, such as America/Bogota.
    #[arg(long)]
    timezone: Option<String>,
}

/// Writes the archive to standard output.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    with_app(data_dir, config, async |app| write(app, arguments).await).await?
}

async fn write(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { person, format, locale, timezone } = arguments;
    let id = match parse_id(&person) {
        Ok(id) => id,
        Err(_) => find_by_email(app, &person).await?,
    };
    let options = [
        (PERSON, Some(id.to_string())),
        ("format", Some(format)),
        ("locale", locale),
        ("timezone", timezone),
    ];
    let given = options.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let request = PersonRequest::parse(given.collect(), defaults(&app.config))?;
    let archive = PersonExport::on_command_line(request).start(app).await?;
    ended(archive.write_to(&mut tokio::io::stdout()).await)
}

async fn find_by_email(app: &App, email: &str) -> Result<i64, Failure> {
    let mut conn = app.pool.get().await.context("Failed to connect to the database")?;
    let user = User::find_by_email(&mut conn, email.trim()).await.context("Failed to find the person")?;
    Ok(user.ok_or(Error::NotFound(USER_NOT_FOUND.into()))?.id)
}
