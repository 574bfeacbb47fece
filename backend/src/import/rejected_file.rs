//! The rejected rows of an import as a CSV file, to be corrected and imported again.
//!
//! Its columns are those of the imported file, with the original cells, and then the line and the error of each row. The
//! import ignores these two, and they replace those of a file of rejected rows that was imported. The delimiter is the one
//! that spreadsheets in the language expect, and there is a byte order mark, since the file is meant to be opened in a
//! spreadsheet.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Locale;
use futures_util::{Stream, stream};

use super::cell_problem::CellProblem;
use super::csv_file::{self, CsvFile};
use super::header::{REJECTION_COLUMNS, is_rejection_column};
use crate::app::App;
use crate::auth::keys::{Keys, Purpose};
use crate::auth::signed_link::{BadLink, SignedLink};
use crate::error::Result;
use crate::models::import::{Import, ImportFile};
use crate::models::import_rejection::RejectedRow;

/// The path of links to rejected rows.
pub const PATH: &str = "/admin/data-porter/rejected-rows";
/// How long a link is valid.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// The maximum number of rows in memory at a time.
const PAGE_ROWS: i64 = 1_000;

/// The number of bytes after which no more rows are added to those in memory.
const PAGE_BYTES: usize = 1 << 20;

/// A link to the rejected rows of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRowsLink {
    /// The user who created it.
    pub user_id: i64,
    /// The API token that it was created with. Revoking the token invalidates the link.
    pub token_id: Option<i64>,
    pub import_id: i64,
    /// The language of the errors.
    pub locale: Locale,
    pub expires_at: DateTime<Utc>,
}

impl RejectedRowsLink {
    /// The link as a path with its query string.
    pub fn sign(&self, keys: &Keys) -> String {
        let &Self { user_id, token_id, import_id, locale, expires_at } = self;
        let parameters = [("import", import_id.to_string()), ("locale", locale.tag().to_owned())];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value)).to_vec();
        SignedLink { user_id, token_id, parameters, expires_at }.sign(keys, Purpose::RejectedRows, PATH)
    }

    /// Verifies and parses a query string.
    pub fn verify(keys: &Keys, query: &str, now: DateTime<Utc>) -> Result<Self, BadLink> {
        let link = SignedLink::verify(keys, Purpose::RejectedRows, query, now)?;
        let (import, locale) = match &link.parameters[..] {
            [(import, id), (locale, tag)] if import == "import" && locale == "locale" => (id, tag),
            _ => return Err(BadLink::Altered),
        };
        let (Ok(import_id), Some(locale)) = (import.parse(), Locale::parse(locale)) else {
            return Err(BadLink::Altered);
        };
        let SignedLink { user_id, token_id, parameters: _, expires_at } = link;
        Ok(Self { user_id, token_id, import_id, locale, expires_at })
    }
}

/// Whether an import has a file of rejected rows.
pub const fn exists(import: &Import) -> bool {
    import.rows_rejected > 0 && import.finished_at.is_some()
}

/// The content of the file, a part at a time.
pub async fn stream(app: App, import_id: i64, locale: Locale) -> Result<impl Stream<Item = Result<Bytes>>> {
    let file = ImportFile::find(&mut *app.pool.get().await?, import_id).await?;
    let columns = FileColumns::of(&file);
    let mut head = CsvFile::new(locale);
    head.push_mark();
    head.push_row(columns.kept.iter().map(|(_, name)| name.as_str()).chain(REJECTION_COLUMNS));
    let first = stream::once(std::future::ready(Ok(head.into_bytes())));
    let columns = Arc::new(columns);
    let pages = stream::try_unfold(None, move |after| {
        let (app, columns) = (app.clone(), Arc::clone(&columns));
        async move {
            let conn = &mut *app.pool.get().await?;
            let rows = RejectedRow::page(conn, import_id, after, PAGE_ROWS, PAGE_BYTES).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            let after = Some((last.line, last.id));
            let mut page = CsvFile::new(locale);
            for row in &rows {
                push(&mut page, row, &columns, &app, locale);
            }
            Ok(Some((page.into_bytes(), after)))
        }
    });
    Ok(stream::StreamExt::chain(first, pages))
}

/// The columns of the imported file.
struct FileColumns {
    /// Their number.
    width: usize,
    /// The positions and names of those that are not replaced.
    kept: Vec<(usize, String)>,
}

impl FileColumns {
    fn of(file: &ImportFile) -> Self {
        let is_kept = |(_, name): &(usize, &str)| !is_rejection_column(name);
        let kept = file.columns().enumerate().filter(is_kept).map(|(place, name)| (place, name.to_owned()));
        Self { width: file.columns().count(), kept: kept.collect() }
    }
}

fn push(page: &mut CsvFile, row: &RejectedRow, columns: &FileColumns, app: &App, locale: Locale) {
    let reason = CellProblem::describe(&row.reason, &app.config.imports, locale);
    let error = match &row.column_name {
        Some(column) => format!("{column}: {reason}"),
        None => reason,
    };
    let line = row.line.to_string();
    let cells = &row.cells;
    let named =
        columns.kept.iter().map(|(place, _)| cells.get(*place).map(String::as_str).unwrap_or_default());
    // Cells beyond the columns come last, so that the others are in the right ones.
    let others = cells.iter().skip(columns.width).map(String::as_str);
    page.push_row(named.chain([line.as_str(), error.as_str()]).chain(others));
}

/// The name of the file.
pub fn filename(import_id: i64) -> String {
    format!("rejected_rows_{import_id}.{}", csv_file::EXTENSION)
}
