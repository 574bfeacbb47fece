//! Files to start an import from: the header, and one row that can be imported.

use bytes::Bytes;
use domain::Locale;
use domain::access::ImportGrant;
use domain::text::Text;

use super::column::Column;
use super::csv_file::{self, CsvFile};
use crate::app::App;
use crate::error::Result;
use crate::models::reference::ReferencedTable;
use crate::models::snapshot_table::SnapshotTable;

/// The path of a dataset's template.
pub const PATH: &str = "/admin/data-porter/import-templates/{dataset}";

const PAYLOAD: Text = Text::new(r#"{"nota": "ejemplo"}"#, r#"{"note": "example"}"#);

/// A template with column titles in this language. Its row is about the importer and a course of theirs, if there is one.
pub async fn file(
    app: &App,
    table: SnapshotTable,
    grant: &ImportGrant,
    importer: i64,
    locale: Locale,
) -> Result<Bytes> {
    let conn = &mut *app.pool.get().await?;
    let course = ReferencedTable::first_course(conn, grant.rows().courses()).await?;
    let day = app.clock.now().with_timezone(&app.config.hub.timezone).date_naive();
    let described = table.dataset().describe().columns;
    let titles = Column::ALL.map(|column| {
        let known = described.iter().find(|known| known.key == column.key(table));
        known.map_or(column.key(table), |known| known.title.in_locale(locale))
    });
    let cells = Column::ALL.map(|column| match column {
        Column::Person => importer.to_string(),
        Column::Course => course.map(|id| id.to_string()).unwrap_or_default(),
        Column::Lesson | Column::PracticePackage | Column::Scope => String::new(),
        Column::Category => "custom".to_owned(),
        Column::Value => "1".to_owned(),
        Column::Payload => PAYLOAD.in_locale(locale).to_owned(),
        Column::CapturedAt => day.to_string(),
    });
    let mut file = CsvFile::new(locale);
    file.push_mark();
    file.push_row(titles.into_iter());
    file.push_row(cells.iter().map(String::as_str));
    Ok(file.into_bytes())
}

/// The name of the file.
pub fn filename(table: SnapshotTable) -> String {
    format!("{}_template.{}", table.dataset().key(), csv_file::EXTENSION)
}
