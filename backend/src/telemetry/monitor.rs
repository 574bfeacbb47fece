//! Watches the backlog, and tells people when it is cause for alarm and when it no longer is.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use domain::Driver;

use super::backlog::{Alarm, Backlog};
use super::{delivery, driver};
use crate::app::App;
use crate::db::Connection;
use crate::models::QueryResult;
use crate::models::alarm;
use crate::models::notification::NewNotification;
use crate::models::outbox_mail::OutboxMail;
use crate::models::sync_run::Outage;
use crate::models::telemetry_driver::{DriverState, EnabledDrivers};
use crate::models::user::User;
use crate::notification::{self, NotificationContent};

/// The alarm's name in the database.
const ALARM: &str = "telemetry_backlog";
/// The name of the alarm about services that refuse whatever they are sent.
const REFUSING: &str = "telemetry_refusing";

/// What a look at the backlog came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The backlog.
    pub backlog: Backlog,
    /// When it was looked at.
    pub at: DateTime<Utc>,
    /// What came of it.
    pub finding: Finding,
    /// The drivers that refused whatever they were sent in the last run.
    pub refusing: Vec<Driver>,
    /// How many people were told of these now, or that there are none any more.
    pub told_of_refusing: usize,
}

/// What is to be said of a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// No driver is enabled, so that nothing is ever synced, and no alarm could be ended.
    NothingEnabled,
    /// There is no cause for alarm.
    Calm,
    /// There no longer is cause for the alarm that people were told of, and so many were told that.
    Recovered {
        /// How many.
        people: usize,
    },
    /// There is cause for alarm, and so many people were told.
    Alarmed {
        /// Why.
        why: Alarm,
        /// How many.
        people: usize,
    },
    /// There is cause for alarm, and people were told so not long ago.
    StillAlarmed {
        /// Why.
        why: Alarm,
        /// When they may be told again.
        told_again_from: DateTime<Utc>,
    },
}

/// Looks at the backlog, and tells whoever is to be told. Of several processes that look at once, one tells.
pub async fn check(app: &App) -> anyhow::Result<Checked> {
    let at = app.clock.now();
    let conn = &mut *app.pool.get().await.context("No database connection")?;
    let limits = &app.config.telemetry;
    let enabled = EnabledDrivers::read(conn).await.context("The drivers cannot be read")?;
    let enabled = enabled.with(&driver::enabled_names(limits), at);
    let backlog =
        Backlog::read(conn, &enabled, &limits.alert).await.context("The backlog cannot be counted")?;
    let finding = if enabled.names().next().is_none() {
        Finding::NothingEnabled
    } else {
        find(app, conn, backlog, at).await.context("The alarm cannot be kept")?
    };
    let refusing = refusing(conn, &enabled).await.context("The drivers cannot be looked at")?;
    let told = tell_of_refusing(app, conn, &refusing, at).await.context("The alarm cannot be kept")?;
    Ok(Checked { backlog, at, finding, refusing, told_of_refusing: told })
}

/// The enabled drivers that refused whatever they were sent, where that was more than a few events.
async fn refusing(conn: &mut Connection, enabled: &EnabledDrivers) -> QueryResult<Vec<Driver>> {
    let mut refusing = Vec::new();
    for name in enabled.names() {
        let outage = DriverState::read(conn, name).await?.outage;
        if let Some(Outage::Refusing { events, .. }) = outage
            && usize::try_from(events).is_ok_and(|events| events >= delivery::SUSPICIOUS_REFUSALS)
        {
            refusing.push(name);
        }
    }
    Ok(refusing)
}

async fn tell_of_refusing(
    app: &App,
    conn: &mut Connection,
    refusing: &[Driver],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let pause = TimeDelta::from_std(app.config.telemetry.alert.cooldown).unwrap_or(TimeDelta::MAX);
    conn.transaction(async |conn| {
        let (is_told, notice) = if refusing.is_empty() {
            let gone = notification::RefusingResolved { found_at: now };
            (alarm::settle(conn, REFUSING).await?, NotificationContent::RefusingResolved(gone))
        } else {
            let found = notification::Refusing { drivers: refusing.to_vec(), found_at: now };
            (alarm::claim(conn, REFUSING, now, pause).await?, NotificationContent::Refusing(found))
        };
        if is_told { tell(app, conn, &notice, now).await } else { Ok(0) }
    })
    .await
}

async fn find(
    app: &App,
    conn: &mut Connection,
    backlog: Backlog,
    now: DateTime<Utc>,
) -> QueryResult<Finding> {
    let limits = &app.config.telemetry.alert;
    let Some(why) = backlog.alarm(limits, now) else {
        let gone = notification::BacklogResolved { events: backlog.events_pending, counted_at: now };
        return conn
            .transaction(async |conn| {
                if !alarm::settle(conn, ALARM).await? {
                    return Ok(Finding::Calm);
                }
                let people = tell(app, conn, &NotificationContent::BacklogResolved(gone), now).await?;
                Ok(Finding::Recovered { people })
            })
            .await;
    };
    let pause = TimeDelta::from_std(limits.cooldown).unwrap_or(TimeDelta::MAX);
    let cause = notification::Backlog {
        events: backlog.events_pending,
        oldest: backlog.oldest,
        counted_at: now,
        threshold: limits.threshold,
        age_minutes: limits.max_age.as_secs() / 60,
    };
    // The claim and what is told are stored together: whoever fails to tell has claimed nothing.
    conn.transaction(async |conn| {
        if alarm::claim(conn, ALARM, now, pause).await? {
            let people = tell(app, conn, &NotificationContent::Backlog(cause), now).await?;
            return Ok(Finding::Alarmed { why, people });
        }
        let told = alarm::notified_at(conn, ALARM).await?.unwrap_or(now);
        Ok(Finding::StillAlarmed { why, told_again_from: told + pause })
    })
    .await
}

/// Tells the operators, by mail too where there is a mail server; answers how many they are.
async fn tell(
    app: &App,
    conn: &mut Connection,
    notice: &NotificationContent,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let people = User::active_in(conn, &notification::OPERATOR_ROLES).await?;
    let data = notice.data();
    let new: Vec<_> = people
        .iter()
        .map(|person| NewNotification {
            user_id: person.id,
            kind: notice.kind(),
            data: &data,
            created_at: now,
        })
        .collect();
    // Whoever's mailbox was out of reach for a day wants one mail of it, not twenty.
    OutboxMail::supersede(conn, notice.supersedes(), now).await?;
    let told = NewNotification::insert_all(conn, &new).await?;
    if app.config.mail.smtp.is_some() {
        OutboxMail::post(conn, &told, now).await?;
    }
    Ok(told.len())
}
