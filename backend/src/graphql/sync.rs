//! The sync with the analytics services: its status, runs and dead deliveries.

mod dead_delivery;
mod run;
mod status;

use std::time::Duration;

use async_graphql::{Context, Object, Subscription};
use domain::Driver;
use domain::access::Act;
use domain::sync::SyncTrigger;
use domain::text::Text;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use self::dead_delivery::DeadDelivery;
use self::run::SyncRun;
use self::status::SyncStatus;
use super::connection::{List, ListPage, Total, list_cost, page_size};
use super::context::ContextExt as _;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::sync_run::{RunFilter, SyncRun as Run};
use crate::models::telemetry_delivery::{self as deliveries, RequeueRequest};
use crate::telemetry::delivery::{Mode, Scope, StartError, SyncRequest};
use crate::telemetry::status::Status;

/// Status and history of the sync.
#[derive(Default)]
pub struct SyncQuery;

const ALREADY_RUNNING: Text = Text::new(
    "Ya hay una sincronización en curso. Espera a que termine.",
    "A sync run is in progress. Wait until it has ended.",
);
const INVALID_LIMIT: Text =
    Text::new("Se acepta un número de 1 a 100000.", "Accepted: a number from 1 to 100000.");

/// The maximum number of events per run that a user may ask for.
const MAX_LIMIT: i32 = 100_000;

/// How long to wait for a run or a requeue; if it takes longer, it continues after the answer.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[Object]
impl SyncQuery {
    /// Status of the sync. Errors: UNAUTHENTICATED; FORBIDDEN unless the caller is an admin, teacher admin or
    /// service.
    async fn sync_status(&self, ctx: &Context<'_>) -> Result<SyncStatus> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let app = ctx.app();
        let status = Status::read(&mut *ctx.conn().await?, &app.config.telemetry, app.clock.now()).await?;
        Ok(SyncStatus::new(ctx, status.into()))
    }

    /// Sync runs, newest first. Errors: UNAUTHENTICATED; FORBIDDEN as for `syncStatus`; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 5.", default = 5)] first: Option<i32>,
        #[graphql(desc = "Include runs that had nothing to do.", default_with = "Some(false)")]
        include_skipped: Option<bool>,
    ) -> Result<Vec<SyncRun>> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let limit = page_size(first.unwrap_or(5))?;
        let which = if include_skipped == Some(true) { RunFilter::All } else { RunFilter::NotSkipped };
        let runs = Run::newest(&mut *ctx.conn().await?, which, limit).await?;
        Ok(runs.into_iter().map(SyncRun).collect())
    }

    /// Dead deliveries: events that a service refused, that were attempted too often, or that were too old.
    /// Newest events first.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN as for `syncStatus`; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn dead_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only deliveries to this driver.")] driver: Option<Driver>,
        #[graphql(desc = "Maximum number of items, 0–500. Default 50.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Only deliveries after this cursor.")] after: Option<String>,
    ) -> Result<List<DeadDelivery>> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let page = ListPage::new(first.unwrap_or(50), after.as_deref(), dead_delivery::decode)?;
        let conn = &mut *ctx.conn().await?;
        let rows = deliveries::DeadDelivery::page(conn, driver, page.after, page.limit()).await?;
        let total = Total::new(move |conn| deliveries::DeadDelivery::count(conn, driver).boxed());
        page.connection(rows, dead_delivery::encode, |row| Ok(DeadDelivery(row)), total)
    }
}

/// Runs the sync.
#[derive(Default)]
pub struct SyncMutation;

#[Object]
impl SyncMutation {
    /// Sends the oldest pending events, up to `limit` per driver.
    ///
    /// Returns when the run has ended, or after ten seconds with its state at that time. The run then
    /// continues, and `syncStatus` and the subscription of that name show it. A run without pending events is
    /// SKIPPED. A run with a missing setting is FAILED. `message` says why.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings; CONFLICT while a run is in
    /// progress; BAD_USER_INPUT.
    async fn run_telemetry_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Maximum number of events per driver, 1–100000. Default 500.",
            default = 500
        )]
        limit: Option<i32>,
    ) -> Result<SyncRun> {
        run(ctx, Scope::Oldest, limit).await
    }

    /// Retries the newest batch that has pending events: sends them to each driver for which they are
    /// pending. Delivered events are not sent again. Result and errors as for `runTelemetrySync`.
    async fn retry_last_sync_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Maximum number of events per driver, 1–100000. Default 500.",
            default = 500
        )]
        limit: Option<i32>,
    ) -> Result<SyncRun> {
        run(ctx, Scope::LastBatch, limit).await
    }

    /// Makes dead deliveries pending again, as well as deliveries that were skipped when their driver was
    /// forgotten, and returns their number.
    ///
    /// Returns when all are pending, or after ten seconds with their number at that time, and continues.
    /// Deliveries whose event no longer exists stay dead.
    ///
    /// GA4 does not recognize duplicates. Deliveries that may have arrived there stay dead unless `force` is
    /// set.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without the permission manage-settings.
    async fn requeue_dead_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The driver.")] driver: Driver,
        #[graphql(desc = "Only these events. All events if left out.")] event_ids: Option<Vec<Id>>,
        #[graphql(desc = "Include deliveries that may become duplicates.", default_with = "Some(false)")]
        force: Option<bool>,
    ) -> Result<i32> {
        ctx.viewer_who_may(Act::RunSync)?;
        let event_ids = event_ids.map(|ids| ids.into_iter().map(|Id(id)| id).collect());
        let requeue = RequeueRequest { driver, event_ids, include_possible_duplicates: force == Some(true) };
        let requeued = ctx.app().sync.requeue(requeue, MAX_WAIT).await?;
        Ok(i32::try_from(requeued).unwrap_or(i32::MAX))
    }
}

async fn run(ctx: &Context<'_>, scope: Scope, limit: Option<i32>) -> Result<SyncRun> {
    let viewer = ctx.viewer_who_may(Act::RunSync)?;
    let limit = match limit {
        None => SyncRequest::DEFAULT_LIMIT,
        Some(limit @ 1..=MAX_LIMIT) => limit.unsigned_abs(),
        Some(_) => return Err(Error::invalid("limit", INVALID_LIMIT)),
    };
    let request = SyncRequest {
        trigger: SyncTrigger::User,
        triggered_by: Some(viewer.user_id),
        scope,
        limit: Some(limit),
        mode: Mode::Once,
        budget: None,
    };
    match ctx.app().sync.start_and_wait(request, MAX_WAIT).await {
        Ok(run) => Ok(SyncRun(run)),
        Err(StartError::AlreadyRunning) => Err(Error::Conflict(ALREADY_RUNNING.into())),
        Err(StartError::Failed(error)) => Err(error),
    }
}

/// Live status of the sync.
#[derive(Default)]
pub struct SyncSubscription;

#[Subscription]
impl SyncSubscription {
    /// Status of the sync: at once, and then on each change, at most a few times per second.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN as for the query. The subscription ends when the token expires or
    /// the permission is revoked.
    async fn sync_status<'ctx>(
        &self,
        ctx: &Context<'ctx>,
    ) -> Result<impl Stream<Item = SyncStatus> + use<'ctx>> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let view = status::StatusView::new(ctx);
        Ok(ctx.app().status_feed.subscribe().map(move |status| view.show(status)))
    }
}
