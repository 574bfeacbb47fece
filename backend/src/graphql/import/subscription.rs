//! Live progress of imports.

use std::future::ready;
use std::time::Duration;

use async_graphql::{Context, Subscription};
use domain::access::Act;
use domain::import::ImportState;
use domain::validation::UNKNOWN_ID;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::sleep;

use super::{Import, ImportRow};
use crate::app::App;
use crate::auth::identity;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::graphql::context::ContextExt as _;
use crate::id::Id;
use crate::import::undo;

/// Live progress of imports.
#[derive(Default)]
pub struct ImportSubscription;

/// How often the progress is read. Imports record it once per second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

#[Subscription]
impl ImportSubscription {
    /// Progress of an import: at once, on each change, and a last time when it has ended.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings; BAD_USER_INPUT unless it is the
    /// caller's import or the caller is an admin.
    async fn import_progress<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "ID of the import.")] id: Id,
    ) -> Result<impl Stream<Item = Import> + use<'ctx>> {
        let visible = undo::visible_to(ctx.viewer_who_may(Act::Import)?);
        let (user_id, token_id) = (ctx.identity()?.user.id, ctx.identity()?.token_id);
        let first = ImportRow::find(&mut *ctx.conn().await?, id.0, visible).await?;
        let first = first.ok_or_else(|| Error::invalid("id", UNKNOWN_ID))?;
        let app = ctx.app().clone();
        let changes = stream::unfold((app, first.clone()), move |(app, last)| async move {
            if last.state != ImportState::Running {
                return None;
            }
            loop {
                sleep(PROGRESS_INTERVAL).await;
                // During an outage, the next attempt may succeed.
                let Ok(mut conn) = app.pool.get().await else { continue };
                match find_if_allowed(&app, &mut conn, id.0, user_id, token_id).await {
                    Ok(Some(now)) if now != last => {
                        drop(conn);
                        return Some((Import(now.clone()), (app, now)));
                    }
                    Ok(None) => return None,
                    Ok(Some(_)) | Err(_) => {}
                }
            }
        });
        Ok(stream::once(ready(Import(first))).chain(changes))
    }
}

/// The import with this id, if the user may still see it.
async fn find_if_allowed(
    app: &App,
    conn: &mut Connection,
    id: i64,
    user_id: i64,
    token_id: Option<i64>,
) -> Result<Option<ImportRow>> {
    let now = app.clock.now();
    let owner = identity::identify_link_owner(&app.auth, conn, user_id, token_id, now).await?;
    let viewer = owner.map(|owner| owner.viewer).filter(|viewer| viewer.may(Act::Import).is_ok());
    let Some(viewer) = viewer else { return Ok(None) };
    Ok(ImportRow::find(conn, id, undo::visible_to(&viewer)).await?)
}
