//! Undoes imports.

use diesel_async::AsyncConnection as _;
use domain::Viewer;
use domain::access::Role;
use domain::text::Text;
use domain::validation::UNKNOWN_ID;

use crate::app::App;
use crate::error::{Error, Result};
use crate::models::import::{Import, ImportedBy};

const NOTHING_TO_UNDO: Text = Text::new(
    "Esta importación no guardó filas, sigue en curso o ya se deshizo.",
    "This import stored no rows, is in progress, or was undone before.",
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
/// Errors: BAD_USER_INPUT for an import that the viewer may not see; CONFLICT if there is nothing to undo.
pub async fn undo(app: &App, id: i64, viewer: &Viewer) -> Result<Import> {
    let (undone_by, now) = (viewer.user_id, app.clock.now());
    let mut conn = app.pool.get().await?;
    let import = Import::find(&mut conn, id, visible_to(viewer)).await?;
    let import = import.ok_or_else(|| Error::invalid("id", UNKNOWN_ID))?;
    let undone = conn.transaction(async |conn| import.undo(conn, undone_by, now).await).await?;
    undone.ok_or_else(|| Error::Conflict(NOTHING_TO_UNDO.into()))
}
