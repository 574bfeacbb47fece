//! The sync with the analytics services: how it stands, its runs, and what was given up.

mod dead_delivery;
mod run;
mod status;

use std::time::Duration;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Object, Subscription};
use domain::access::Act;
use domain::text::Text;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use self::dead_delivery::DeadDelivery;
use self::run::SyncRun;
use self::status::SyncStatus;
use super::catalog::{at_most, list_cost};
use super::context::ContextExt as _;
use super::total::Total;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::driver::Driver;
use crate::models::sync_run::{Runs, SyncRun as Run, SyncTrigger};
use crate::models::telemetry_delivery::{self as deliveries, Requeue};
use crate::telemetry::delivery::{Mode, Scope, StartError, SyncRequest};
use crate::telemetry::status::Status;

/// The sync as it can be seen.
#[derive(Default)]
pub struct SyncQuery;

type DeadDeliveries = Connection<String, DeadDelivery, Total, EmptyFields>;

const NO_CURSOR: Text = Text::new("Eso no es un cursor de esta lista.", "That is no cursor of this list.");
const UNDER_WAY: Text = Text::new(
    "Ya hay una sincronización en curso. Espera a que termine.",
    "A run of the sync is under way. Wait for it to end.",
);
const WRONG_LIMIT: Text =
    Text::new("Se acepta un número de 1 a 100000.", "Accepted: a number from 1 to 100000.");

/// The maximum number of events per run that a user may ask for.
const MAX_LIMIT: i32 = 100_000;

/// How long to wait for a run or a requeue; if it takes longer, it continues after the answer.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[Object]
impl SyncQuery {
    /// How the sync stands. Errors: UNAUTHENTICATED; FORBIDDEN but for admins, teacher admins and services.
    async fn sync_status(&self, ctx: &Context<'_>) -> Result<SyncStatus> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let app = ctx.app();
        let status = Status::read(&mut *ctx.conn().await?, &app.config.telemetry, app.clock.now()).await?;
        Ok(SyncStatus::new(ctx, status.into()))
    }

    /// Runs of the sync, the newest first. Errors: UNAUTHENTICATED; FORBIDDEN as for `syncStatus`; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, from 0 to 500; 5 unless told.", default = 5)] first: Option<i32>,
        #[graphql(desc = "Those that found nothing to do as well.", default_with = "Some(false)")]
        include_skipped: Option<bool>,
    ) -> Result<Vec<SyncRun>> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let limit = at_most("first", first.unwrap_or(5))?;
        let which = if include_skipped == Some(true) { Runs::All } else { Runs::Worked };
        let runs = Run::newest(&mut *ctx.conn().await?, which, limit).await?;
        Ok(runs.into_iter().map(SyncRun).collect())
    }

    /// Deliveries that were given up: refused, tried too often, or too old; those of the newest events first.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN as for `syncStatus`; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn dead_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this driver's.")] driver: Option<Driver>,
        #[graphql(desc = "At most so many, from 0 to 500; 50 unless told.", default = 50)] first: Option<i32>,
        #[graphql(desc = "Behind the delivery with this cursor.")] after: Option<String>,
    ) -> Result<DeadDeliveries> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let limit = at_most("first", first.unwrap_or(50))?;
        let behind = match &after {
            Some(cursor) => Some(dead_delivery::place(cursor).ok_or(Error::invalid("after", NO_CURSOR))?),
            None => None,
        };
        let mut page =
            deliveries::DeadDelivery::page(&mut *ctx.conn().await?, driver, behind, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_next = page.len() > wanted;
        page.truncate(wanted);
        let total = Total::new(move |conn| deliveries::DeadDelivery::count(conn, driver).boxed());
        let mut deliveries = Connection::with_additional_fields(after.is_some(), has_next, total);
        deliveries.edges =
            page.into_iter().map(|row| Edge::new(dead_delivery::cursor(&row), DeadDelivery(row))).collect();
        Ok(deliveries)
    }
}

/// Running the sync.
#[derive(Default)]
pub struct SyncMutation;

#[Object]
impl SyncMutation {
    /// Sends the oldest events that are owed, up to `limit` for each driver.
    ///
    /// Answers when the run is over, or after ten seconds with the run as it is then; it goes on, and `syncStatus` and
    /// the subscription of that name show it. A run that finds nothing to do is SKIPPED, and one that lacks a setting
    /// FAILED; `message` says why.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without manage-settings; CONFLICT while a run is under way; BAD_USER_INPUT.
    async fn run_telemetry_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The most events for each driver, from 1 to 100000; 500 unless told.",
            default = 500
        )]
        limit: Option<i32>,
    ) -> Result<SyncRun> {
        run(ctx, Scope::Oldest, limit).await
    }

    /// Sends what the newest run that still owes something left, to each driver what is owed to it; nothing that was
    /// delivered is sent again. Answers and errors as `runTelemetrySync`.
    async fn retry_last_sync_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The most events for each driver, from 1 to 100000; 500 unless told.",
            default = 500
        )]
        limit: Option<i32>,
    ) -> Result<SyncRun> {
        run(ctx, Scope::LastBatch, limit).await
    }

    /// Puts deliveries that were given up, or skipped when their driver was forgotten, back among those that are owed, and
    /// answers with their number.
    ///
    /// Answers when all are put back, or after ten seconds with their number by then; it goes on. What the event is gone
    /// of stays as it is.
    ///
    /// GA4 cannot tell a repetition: what may have arrived there is left where it is unless `force` says otherwise.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN without manage-settings.
    async fn requeue_dead_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The driver.")] driver: Driver,
        #[graphql(desc = "Only these events; all when left out.")] event_ids: Option<Vec<Id>>,
        #[graphql(
            desc = "Also what may be there already, and would be there twice.",
            default_with = "Some(false)"
        )]
        force: Option<bool>,
    ) -> Result<i32> {
        ctx.viewer_who_may(Act::RunSync)?;
        let event_ids = event_ids.map(|ids| ids.into_iter().map(|Id(id)| id).collect());
        let what = Requeue { driver, event_ids, even_doubtful: force == Some(true) };
        let requeued = ctx.app().sync.requeue(what, MAX_WAIT).await?;
        Ok(i32::try_from(requeued).unwrap_or(i32::MAX))
    }
}

async fn run(ctx: &Context<'_>, scope: Scope, limit: Option<i32>) -> Result<SyncRun> {
    let viewer = ctx.viewer_who_may(Act::RunSync)?;
    let limit = match limit {
        None => SyncRequest::DEFAULT_LIMIT,
        Some(limit @ 1..=MAX_LIMIT) => limit.unsigned_abs(),
        Some(_) => return Err(Error::invalid("limit", WRONG_LIMIT)),
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
        Err(StartError::AlreadyRunning) => Err(Error::Conflict(UNDER_WAY.into())),
        Err(StartError::Failed(error)) => Err(error),
    }
}

/// The sync as it goes on.
#[derive(Default)]
pub struct SyncSubscription;

#[Subscription]
impl SyncSubscription {
    /// How the sync stands, at once and then each time that it stands otherwise, a few times a second at most.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN as for the query. It ends when the token does, or the right to see it.
    async fn sync_status<'ctx>(
        &self,
        ctx: &Context<'ctx>,
    ) -> Result<impl Stream<Item = SyncStatus> + use<'ctx>> {
        ctx.viewer_who_may(Act::SeeSync)?;
        let shown = status::Shown::new(ctx);
        Ok(ctx.app().status_feed.subscribe().map(move |status| shown.show(status)))
    }
}
