//! Undoes imports.

use diesel_async::AsyncConnection as _;
use domain::Viewer;
use domain::access::Role;
use domain::text::Text;
use domain::validation::UNKNOWN_ID;

use crate::app::App;
use crate::error::{Error, Result};
use crate::models::import::{Import, ImportedBy, Undone};

const NOTHING_TO_UNDO: Text = Text::new(
    "Esta importación no guardó filas, sigue en curso o ya se deshizo.",
    "This import stored no rows, is in progress, or was undone before.",
);

const TABLE_IN_USE: Text = Text::new(
    "Ahora mismo otra importación guarda filas en este conjunto de datos. Deshaz esta cuando termine.",
    "Another import is storing rows in this dataset at the moment. Undo this one when that has ended.",
);

/// The imports that a viewer may see and undo. Rejected rows show a file's content, so only its sender and admins may.
pub fn visible_to(viewer: &Viewer) -> ImportedBy {
    match viewer.role {
        Role::Admin => ImportedBy::Any,
        Role::TeacherAdmin | Role::Teacher | Role::Student | Role::Service => {
            ImportedBy::User(viewer.user_id)
        }
    }
}

/// Deletes the rows that an import stored, and returns the updated import. Rows that existed before stay.
///
/// Errors: BAD_USER_INPUT for an import that the viewer may not see; FORBIDDEN if they may not import into its dataset;
/// CONFLICT if there is nothing to undo, or while another import stores rows in its dataset.
pub async fn undo(app: &App, id: i64, viewer: &Viewer) -> Result<Import> {
    let (undone_by, now) = (viewer.user_id, app.clock.now());
    let mut conn = app.pool.get().await?;
    let import = Import::find(&mut conn, id, visible_to(viewer)).await?;
    let import = import.ok_or_else(|| Error::invalid("id", UNKNOWN_ID))?;
    viewer.may_import(import.table.dataset())?;
    match conn.transaction(async |conn| import.undo(conn, undone_by, now).await).await? {
        Undone::Import(import) => Ok(import),
        Undone::Nothing => Err(Error::Conflict(NOTHING_TO_UNDO.into())),
        Undone::TableInUse => Err(Error::Conflict(TABLE_IN_USE.into())),
    }
}
