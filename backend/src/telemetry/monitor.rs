//! Monitors the backlog and the services. Notifies operators when an alarm is raised and when it is resolved.

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

/// The name of the backlog alarm in the database.
const BACKLOG_ALARM: &str = "telemetry_backlog";
/// The name of the alarm about services that refuse every event.
const REFUSING_ALARM: &str = "telemetry_refusing";

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub backlog: Backlog,
    pub at: DateTime<Utc>,
    pub finding: Finding,
    /// The drivers that refused every event in the last run.
    pub refusing: Vec<Driver>,
    /// The number of people that this check notified about refusing drivers, or that none refuses events any
    /// more.
    pub notified_of_refusing: usize,
}

/// The state of the backlog alarm after a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// No driver is enabled. Nothing is synced then, so an alarm would never end.
    NothingEnabled,
    /// The backlog is below its limits.
    Healthy,
    /// The backlog is below its limits again, after an alarm.
    Recovered {
        /// The number of people who were notified.
        people: usize,
    },
    /// The backlog has reached a limit, and people were notified now.
    Alarmed {
        why: Alarm,
        /// The number of people who were notified.
        people: usize,
    },
    /// The backlog has reached a limit, and people were notified during the cooldown.
    StillAlarmed {
        why: Alarm,
        /// The earliest time of the next notification.
        next_notification_at: DateTime<Utc>,
    },
}

/// Checks the backlog and the drivers, and sends notifications. If several processes check at the same time,
/// only one of them sends notifications.
pub async fn check(app: &App) -> anyhow::Result<Checked> {
    let at = app.clock.now();
    let conn = &mut *app.pool.get().await.context("No database connection")?;
    let limits = &app.config.telemetry;
    let enabled = EnabledDrivers::read(conn).await.context("Failed to read the enabled drivers")?;
    let enabled = enabled.with(&driver::enabled_names(limits), at);
    let backlog =
        Backlog::read(conn, &enabled, &limits.alert).await.context("Failed to count the backlog")?;
    let finding = if enabled.names().next().is_none() {
        Finding::NothingEnabled
    } else {
        check_backlog(app, conn, backlog, at).await.context("Failed to update the backlog alarm")?
    };
    let refusing = refusing(conn, &enabled).await.context("Failed to read the state of the drivers")?;
    let notified = notify_of_refusing(app, conn, &refusing, at)
        .await
        .context("Failed to update the alarm about refusing services")?;
    Ok(Checked { backlog, at, finding, refusing, notified_of_refusing: notified })
}

/// The enabled drivers that refused every event, and at least [`delivery::SUSPICIOUS_REFUSALS`] events.
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

async fn notify_of_refusing(
    app: &App,
    conn: &mut Connection,
    refusing: &[Driver],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let cooldown = TimeDelta::from_std(app.config.telemetry.alert.cooldown).unwrap_or(TimeDelta::MAX);
    conn.transaction(async |conn| {
        let (should_notify, content) = if refusing.is_empty() {
            let resolved = notification::RefusingResolved { found_at: now };
            (alarm::resolve(conn, REFUSING_ALARM).await?, NotificationContent::RefusingResolved(resolved))
        } else {
            let found = notification::Refusing { drivers: refusing.to_vec(), found_at: now };
            (alarm::claim(conn, REFUSING_ALARM, now, cooldown).await?, NotificationContent::Refusing(found))
        };
        if should_notify { notify_operators(app, conn, &content, now).await } else { Ok(0) }
    })
    .await
}

async fn check_backlog(
    app: &App,
    conn: &mut Connection,
    backlog: Backlog,
    now: DateTime<Utc>,
) -> QueryResult<Finding> {
    let limits = &app.config.telemetry.alert;
    let Some(why) = backlog.alarm(limits, now) else {
        let resolved = notification::BacklogResolved { events: backlog.events_pending, counted_at: now };
        return conn
            .transaction(async |conn| {
                if !alarm::resolve(conn, BACKLOG_ALARM).await? {
                    return Ok(Finding::Healthy);
                }
                let people =
                    notify_operators(app, conn, &NotificationContent::BacklogResolved(resolved), now).await?;
                Ok(Finding::Recovered { people })
            })
            .await;
    };
    let cooldown = TimeDelta::from_std(limits.cooldown).unwrap_or(TimeDelta::MAX);
    let cause = notification::Backlog {
        events: backlog.events_pending,
        oldest: backlog.oldest,
        counted_at: now,
        threshold: limits.threshold,
        age_minutes: limits.max_age.as_secs() / 60,
    };
    // The claim and the notifications are stored in one transaction. If notifying fails, another process can
    // claim the alarm.
    conn.transaction(async |conn| {
        if alarm::claim(conn, BACKLOG_ALARM, now, cooldown).await? {
            let people = notify_operators(app, conn, &NotificationContent::Backlog(cause), now).await?;
            return Ok(Finding::Alarmed { why, people });
        }
        let notified_at = alarm::notified_at(conn, BACKLOG_ALARM).await?.unwrap_or(now);
        Ok(Finding::StillAlarmed { why, next_notification_at: notified_at + cooldown })
    })
    .await
}

/// Notifies the operators, also by mail if a mail server is configured. Returns the number of operators.
async fn notify_operators(
    app: &App,
    conn: &mut Connection,
    content: &NotificationContent,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    let people = User::active_with_roles(conn, &notification::OPERATOR_ROLES).await?;
    let data = content.data();
    let new: Vec<_> = people
        .iter()
        .map(|person| NewNotification {
            user_id: person.id,
            kind: content.kind(),
            data: &data,
            created_at: now,
        })
        .collect();
    // If mail could not be sent for a day, people get one mail about the alarm and not twenty.
    OutboxMail::supersede(conn, content.supersedes(), now).await?;
    let notifications = NewNotification::insert_all(conn, &new).await?;
    if app.config.mail.smtp.is_some() {
        OutboxMail::enqueue(conn, &notifications, now).await?;
    }
    Ok(notifications.len())
}
