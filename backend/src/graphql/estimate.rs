//! What an export would contain.

use async_graphql::{Context, Json, Object, SimpleObject};
use domain::{Dataset, Filter, Text};
use serde_json::{Map, Value};

use super::context::ContextExt as _;
use crate::auth::grant;
use crate::error::{Error, Result};
use crate::export::any_source;
use crate::export::json_request::filter_parameters;

const NOT_AN_OBJECT: Text = Text::new(
    "Debe ser un objeto, como {\"course_id\": 7}.",
    "Must be an object, such as {\"course_id\": 7}.",
);

/// What an export would contain.
#[derive(Default)]
pub struct EstimateQuery;

#[Object]
impl EstimateQuery {
    /// Estimates the number of rows of an export: counted if there are up to 10,000, and otherwise taken from the
    /// planner's statistics. The access rules are those of the export.
    ///
    /// Errors: UNAUTHENTICATED, FORBIDDEN, SCOPE_REQUIRED, BAD_USER_INPUT.
    #[graphql(complexity = 50)]
    async fn export_estimate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dataset.")] dataset: Dataset,
        #[graphql(desc = "Filters by key, as in the request for a download link: `{\"course_id\": 7}`.")]
        filters: Option<Json<Value>>,
    ) -> Result<ExportEstimate> {
        let viewer = ctx.viewer()?;
        let filters = match filters {
            None | Some(Json(Value::Null)) => Map::new(),
            Some(Json(Value::Object(filters))) => filters,
            Some(Json(_)) => return Err(Error::invalid("filters", NOT_AN_OBJECT)),
        };
        let parameters = filter_parameters(filters).map_err(Error::Invalid)?;
        let pairs = parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let filter = Filter::parse(dataset, pairs)?;
        let mut conn = ctx.conn().await?;
        let grant = grant::to_export(&mut conn, viewer, dataset, filter).await?;
        let zone = ctx.app().config.hub.timezone;
        let estimate = any_source::of(dataset).estimate(&mut conn, &grant, zone).await?;
        Ok(ExportEstimate { rows: i32::try_from(estimate.rows).unwrap_or(i32::MAX), exact: estimate.exact })
    }
}

/// An estimate of the number of rows.
#[derive(SimpleObject)]
pub struct ExportEstimate {
    /// Number of rows.
    rows: i32,
    /// Whether the rows were counted.
    exact: bool,
}
