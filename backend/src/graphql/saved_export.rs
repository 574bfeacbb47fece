//! Saved exports.

use anyhow::Context as _;
use async_graphql::{Context, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::{Dataset, ExportFormat};
use serde_json::Value;

use super::context::ContextExt as _;
use crate::error::Result;
use crate::export::request::Defaults;
use crate::export::saved::{self, ToSave};
use crate::id::Id;
use crate::models::saved_export;

/// Saved exports.
#[derive(Default)]
pub struct SavedExportQuery;

#[Object]
impl SavedExportQuery {
    /// The exports that the caller saved, by name.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for teachers and students, and with an API token without EXPORT.
    async fn saved_exports(&self, ctx: &Context<'_>) -> Result<Vec<SavedExport>> {
        let viewer = ctx.viewer_who_may(Act::SaveExports)?;
        let saved = saved_export::SavedExport::list(&mut *ctx.conn().await?, viewer.user_id).await?;
        saved.into_iter().map(SavedExport::new).collect()
    }
}

/// Saves and deletes exports.
#[derive(Default)]
pub struct SavedExportMutation;

#[Object]
impl SavedExportMutation {
    /// Saves an export, to repeat it: `POST /admin/data-porter/export-links` with `{"savedExport": "ID"}` creates a link
    /// from it. The rules are checked now and at each use.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN and SCOPE_REQUIRED as for a link; BAD_USER_INPUT for an invalid value;
    /// CONFLICT if the caller has saved one with this name, or 100 exports.
    async fn save_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name, 1–100 characters.")] name: String,
        #[graphql(desc = "The dataset.")] dataset: Dataset,
        #[graphql(desc = "The file format.")] format: ExportFormat,
        #[graphql(
            desc = "The other fields of a request for a link. `date_range` is a period relative to the day of use: \
                    `last_7_days`, `last_30_days`, `this_month` or `last_month`."
        )]
        options: Json<Value>,
    ) -> Result<SavedExport> {
        let (app, identity) = (ctx.app(), ctx.identity()?);
        let defaults = Defaults::for_user(app, &identity.user, ctx.request().locale);
        let to_save = ToSave { name, dataset, format, options: options.0 };
        let mut conn = ctx.conn().await?;
        SavedExport::new(saved::save(app, &mut conn, &identity.viewer, defaults, to_save).await?)
    }

    /// Deletes an export that the caller saved. Returns whether it existed.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN for teachers and students, and with an API token without EXPORT.
    async fn delete_saved_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the saved export.")] id: Id,
    ) -> Result<bool> {
        let viewer = ctx.viewer_who_may(Act::SaveExports)?;
        Ok(saved_export::SavedExport::delete(&mut *ctx.conn().await?, id.0, viewer.user_id).await?)
    }
}

/// An export that a user saved, to repeat it.
#[derive(SimpleObject)]
pub struct SavedExport {
    /// ID of the saved export.
    id: Id,
    /// The name that the user gave it.
    name: String,
    /// The dataset.
    dataset: Dataset,
    /// The file format.
    format: ExportFormat,
    /// The other fields of the request for a link.
    options: Json<Value>,
    /// When it was saved.
    created_at: DateTime<Utc>,
    /// When a link was last created from it. Null for never.
    last_used_at: Option<DateTime<Utc>>,
}

impl SavedExport {
    fn new(row: saved_export::SavedExport) -> Result<Self> {
        let saved_export::SavedExport { id, name, dataset, format, options, created_at, last_used_at } = row;
        let dataset = Dataset::parse(&dataset).context("A saved export has an unknown dataset")?;
        let format = ExportFormat::parse(&format).context("A saved export has an unknown format")?;
        Ok(Self { id, name, dataset, format, options: Json(options), created_at, last_used_at })
    }
}
