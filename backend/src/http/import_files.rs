//! Files around imports: `GET /admin/data-porter/rejected-rows`, by a signed link, and
//! `GET /admin/data-porter/import-templates/{dataset}`.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use domain::access::{Act, ImportGrant};
use domain::text::Phrase;
use domain::{Dataset, Locale};
use serde::Deserialize;

use super::attachment;
use super::caller::Caller;
use super::link_request::{forbidden, no_longer_allowed};
use super::problem::Problem;
use crate::app::App;
use crate::auth::identity;
use crate::error::{Error, Result};
use crate::import::rejected_file::{self, RejectedRowsLink};
use crate::import::{csv_file, template, undo};
use crate::models::import::Import;
use crate::models::snapshot_table::SnapshotTable;

/// The two routes.
pub fn routes() -> Router<App> {
    Router::new().route(rejected_file::PATH, get(rejected_rows)).route(template::PATH, get(import_template))
}

async fn rejected_rows(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let link =
        RejectedRowsLink::verify(&app.auth.keys, query.as_deref().unwrap_or_default(), app.clock.now())
            .map_err(|error| forbidden(&caller, error.reason()))?;
    let import = find(&app, &link).await.map_err(|error| caller.problem(&error))?;
    let import = import.ok_or_else(|| no_longer_allowed(&caller))?;
    let rows = rejected_file::stream(app.clone(), import.id, link.locale).await;
    let rows = rows.map_err(|error| caller.problem(&error))?;
    let body = futures_util::TryStreamExt::map_err(rows, |_| std::io::Error::other("the database failed"));
    Ok((
        attachment::headers(csv_file::MEDIA_TYPE, &rejected_file::filename(import.id)),
        Body::from_stream(body),
    )
        .into_response())
}

/// The import of a link, if its owner may still see it.
async fn find(app: &App, link: &RejectedRowsLink) -> Result<Option<Import>> {
    let mut conn = app.pool.get().await?;
    let (user, token, now) = (link.user_id, link.token_id, app.clock.now());
    let Some(owner) = identity::identify_link_owner(&app.auth, &mut conn, user, token, now).await? else {
        return Ok(None);
    };
    let import = Import::find(&mut conn, link.import_id, undo::visible_to(&owner.viewer)).await?;
    let is_allowed = |import: &Import| owner.viewer.may_import(import.table.dataset()).is_ok();
    Ok(import.filter(is_allowed).filter(rejected_file::exists))
}

#[derive(Deserialize)]
struct TemplateOptions {
    locale: Option<String>,
}

async fn import_template(
    State(app): State<App>,
    caller: Caller,
    Path(dataset): Path<String>,
    options: Result<Query<TemplateOptions>, QueryRejection>,
) -> Response {
    match try_import_template(&app, &caller, &dataset, options.ok()).await {
        Ok(response) => response,
        Err(error) => caller.problem(&error).into_response(),
    }
}

async fn try_import_template(
    app: &App,
    caller: &Caller,
    dataset: &str,
    options: Option<Query<TemplateOptions>>,
) -> Result<Response> {
    let viewer = caller.viewer()?;
    viewer.may(Act::Import)?;
    let table = Dataset::parse(dataset).and_then(SnapshotTable::of);
    let keys = SnapshotTable::ALL.map(|table| table.dataset().key());
    let table = table.ok_or_else(|| Error::invalid("dataset", Phrase::accepted(&keys)))?;
    let grant = ImportGrant::new(viewer, table.dataset())?;
    let locale = match options {
        Some(Query(TemplateOptions { locale: None })) => Some(caller.locale),
        Some(Query(TemplateOptions { locale: Some(tag) })) => Locale::parse(&tag),
        None => None,
    };
    let accepted = Phrase::accepted(&Locale::ALL.map(Locale::tag));
    let locale = locale.ok_or_else(|| Error::invalid("locale", accepted))?;
    let file = template::file(app, table, &grant, viewer.user_id, locale).await?;
    Ok((attachment::headers(csv_file::MEDIA_TYPE, &template::filename(table)), file).into_response())
}
