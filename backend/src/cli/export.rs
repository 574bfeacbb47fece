//! `dataporter export`

use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::builder::PossibleValuesParser;
use domain::dataset::FilterKey;
use domain::{Dataset, ExportFormat, Grant};

use super::Failure;
use super::database::with_app;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::export::request::{DATE_RANGE, Defaults, Parameters};
use crate::export::{Export, ExportRequest, WriteError};

/// The arguments of `dataporter export`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The dataset to export.
    #[arg(value_parser = PossibleValuesParser::new(Dataset::ALL.map(Dataset::key)))]
    dataset: String,
    /// The format of the file.
    #[arg(long, value_parser = PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::key)))]
    format: String,
    /// A filter, such as course_id=7 or date_from=2026-11-16; may be given several times with different keys.
    #[arg(long = "filter", value_name = "KEY=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    /// The columns of the file in order, comma-separated; all columns by default.
    #[arg(long)]
    columns: Option<String>,
    /// A period instead of date filters: last_7_days, last_30_days, this_month or last_month.
    #[arg(long, value_name = "PERIOD")]
    date_range: Option<String>,
    /// The header row of a CSV file or a workbook: labels (readable) or keys (machine-readable).
    #[arg(long)]
    headers: Option<String>,
    /// The cell delimiter of a CSV file: , or ;
    #[arg(long)]
    delimiter: Option<String>,
    /// The decimal separator of a CSV file: . or ,
    #[arg(long)]
    decimal: Option<String>,
    /// Start a CSV file with a byte order mark, for Excel.
    #[arg(long)]
    bom: bool,
    /// In a CSV file or a workbook, the names of people, courses and lessons beside their ids.
    #[arg(long)]
    names: bool,
    /// The language of readable headers: es or en.
    #[arg(long)]
    locale: Option<String>,
    /// The time zone of timestamps, such as America/Bogota.
    #[arg(long)]
    timezone: Option<String>,
}

/// Writes the file to standard output.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let request = ExportRequest::parse(&arguments.parameters(), defaults(&config))?;
    with_app(data_dir, config, async |app| write(app, request).await).await?
}

async fn write(app: &App, request: ExportRequest) -> Result<(), Failure> {
    let grant = Grant::to_operate(request.dataset, request.filter.clone());
    let export = Export { user_id: None, address: None, request, grant };
    let started = export.start(app).await?;
    ended(started.write_to(&mut tokio::io::stdout()).await)
}

/// What a file has that the arguments do not say.
pub(super) fn defaults(config: &Config) -> Defaults {
    let (locale, timezone) = (config.hub.locale, config.hub.timezone);
    Defaults { locale, timezone, today: Clock::system().now().with_timezone(&timezone).date_naive() }
}

/// How writing a file to standard output ended.
pub(super) fn ended(written: Result<(), WriteError>) -> Result<(), Failure> {
    match written {
        // The reader of a pipe closed it early, as `head` does.
        Err(WriteError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.context("The file is incomplete")?),
    }
}

impl Arguments {
    /// The arguments as the parameters of an export link.
    fn parameters(self) -> Parameters {
        let Self {
            dataset,
            format,
            filters,
            columns,
            date_range,
            headers,
            delimiter,
            decimal,
            bom,
            names,
            locale,
            timezone,
        } = self;
        let options = [
            ("dataset", Some(dataset)),
            ("format", Some(format)),
            ("columns", columns),
            (DATE_RANGE, date_range),
            ("headers", headers),
            ("delimiter", delimiter),
            ("decimal", decimal),
            ("bom", bom.then(|| "1".to_owned())),
            ("names", names.then(|| "1".to_owned())),
            ("locale", locale),
            ("timezone", timezone),
        ];
        let given = options.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        given.chain(filters).collect()
    }
}

/// Parses `key=value`. Only filter keys are accepted, so that no other parameter can be passed as a filter.
fn filter(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = text.split_once('=').context("expected KEY=VALUE, such as course_id=7")?;
    match FilterKey::parse(key) {
        Some(key) => Ok((key.key().to_owned(), value.to_owned())),
        None => {
            let known: Vec<&str> = FilterKey::all().into_iter().map(FilterKey::key).collect();
            Err(anyhow!("unknown filter “{key}”, accepted: {}", known.join(", ")))
        }
    }
}
