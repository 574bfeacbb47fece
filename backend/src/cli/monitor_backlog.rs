//! `dataporter telemetry:monitor-backlog`

use std::path::Path;

use chrono::SecondsFormat;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::database::CommandDatabase;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::mail::{self, DeliverySummary};
use crate::notification::texts::format_duration;
use crate::telemetry::backlog::Alarm;
use crate::telemetry::monitor::{self, Checked, Finding};

/// The arguments of `dataporter telemetry:monitor-backlog`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Checks the backlog, sends notifications and the mails that are due, and prints a report.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let database = CommandDatabase::open_migrated(data_dir, &config).await?;
    let pool = database.pool();
    let app = App::new(config, pool.clone(), Clock::system())?;
    let result = check(&app).await;
    pool.close();
    database.close().await?;
    let (checked, mail) = result?;
    let report = Report { app: &app, checked, mail };
    if arguments.json {
        println!("{}", report.as_json());
    } else {
        println!("{}", report.as_lines().join("\n"));
    }
    Ok(())
}

async fn check(app: &App) -> anyhow::Result<(Checked, Option<DeliverySummary>)> {
    let checked = monitor::check(app).await?;
    // If the command is interrupted, the next process sends the mail that this one had claimed.
    let mail = mail::deliver(app, &CancellationToken::new()).await?;
    Ok((checked, mail))
}

struct Report<'a> {
    app: &'a App,
    checked: Checked,
    mail: Option<DeliverySummary>,
}

impl Report<'_> {
    fn as_lines(&self) -> Vec<String> {
        let Checked { backlog, at, finding, refusing, notified_of_refusing } = &self.checked;
        let (backlog, at, finding) = (*backlog, *at, *finding);
        let oldest = match (backlog.oldest, backlog.age(at)) {
            (Some(oldest), Some(age)) => {
                format!(
                    ", the oldest from {} ({} ago)",
                    oldest.to_rfc3339_opts(SecondsFormat::Secs, true),
                    format_duration(age)
                )
            }
            _ => String::new(),
        };
        let mut lines = vec![format!("Pending events: {}{oldest}.", backlog.events_pending)];
        match finding {
            Finding::NothingEnabled => lines.push(
                "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED): no events are synced and no alarm is raised."
                    .to_owned(),
            ),
            Finding::Healthy => lines.push("No cause for alarm.".to_owned()),
            Finding::Recovered { people } => {
                lines.extend(["The alarm is resolved.".to_owned(), notified(people)]);
            }
            Finding::Alarmed { why, people } => {
                lines.extend([reached(why), notified(people)]);
            }
            Finding::StillAlarmed { why, next_notification_at } => {
                lines.push(reached(why));
                let from = next_notification_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                lines.push(format!("Already notified: the next notification is sent at {from} or later."));
            }
        }
        if !refusing.is_empty() {
            let names: Vec<_> = refusing.iter().map(|driver| driver.title()).collect();
            lines.push(format!("ALARM: every event is rejected by {}.", names.join(" and ")));
        }
        if *notified_of_refusing > 0 {
            lines.push(notified(*notified_of_refusing));
        }
        lines.push(match self.mail {
            None => "No mail server is configured (SMTP_URL). Notifications are stored in the database only."
                .to_owned(),
            Some(DeliverySummary { sent, postponed, failed }) => {
                format!("Mail: {sent} sent, {postponed} to be retried, {failed} failed.")
            }
        });
        lines
    }

    fn as_json(&self) -> Value {
        let Checked { backlog, at, finding, refusing, notified_of_refusing } = &self.checked;
        let (backlog, at, finding) = (*backlog, *at, *finding);
        let limits = &self.app.config.telemetry.alert;
        let (why, notified, next_notification_at) = match finding {
            Finding::NothingEnabled | Finding::Healthy => (None, 0, None),
            Finding::Recovered { people } => (None, people, None),
            Finding::Alarmed { why, people } => (Some(why), people, None),
            Finding::StillAlarmed { why, next_notification_at } => (Some(why), 0, Some(next_notification_at)),
        };
        json!({
            "eventsPending": backlog.events_pending,
            "oldest": backlog.oldest,
            "oldestAgeSeconds": backlog.age(at).map(|age| age.num_seconds()),
            "threshold": limits.threshold,
            "ageMinutes": limits.max_age.as_secs() / 60,
            "driverEnabled": finding != Finding::NothingEnabled,
            "alarmed": why.is_some(),
            "limitsReached": why.map_or(&[][..], |why| why.limits_reached()),
            "refusing": refusing.iter().map(|driver| driver.key()).collect::<Vec<_>>(),
            "notifiedOfRefusing": notified_of_refusing,
            "recovered": matches!(finding, Finding::Recovered { .. }),
            "notified": notified,
            "nextNotificationAt": next_notification_at,
            "mail": self.mail.map(|DeliverySummary { sent, postponed, failed }| {
                json!({ "sent": sent, "postponed": postponed, "failed": failed })
            }),
        })
    }
}

fn reached(why: Alarm) -> String {
    format!("ALARM: {} reached.", why.limits_reached().join(" and "))
}

fn notified(people: usize) -> String {
    match people {
        0 => "No one was notified: there is no active admin or teacher admin.".to_owned(),
        1 => "1 person was notified.".to_owned(),
        _ => format!("{people} people were notified."),
    }
}
