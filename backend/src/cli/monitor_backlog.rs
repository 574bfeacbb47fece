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
use crate::mail::{self, Delivered};
use crate::notice::words::span;
use crate::telemetry::backlog::Alarm;
use crate::telemetry::monitor::{self, Checked, Finding};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print what was found as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Looks at the backlog, tells whoever is to be told, sends what mail is due, and prints what was found.
pub(super) async fn run(data_dir: &Path, config: Config, arguments: Arguments) -> Result<(), Failure> {
    let database = CommandDatabase::open_migrated(data_dir, &config).await?;
    let pool = database.pool();
    let app = App::new(config, pool.clone(), Clock::system())?;
    let done = look(&app).await;
    pool.close();
    database.close().await?;
    let (checked, mail) = done?;
    let report = Report { app: &app, checked, mail };
    if arguments.json {
        println!("{}", report.as_json());
    } else {
        println!("{}", report.as_lines().join("\n"));
    }
    Ok(())
}

async fn look(app: &App) -> anyhow::Result<(Checked, Option<Delivered>)> {
    let checked = monitor::check(app).await?;
    // An interrupted command is dropped as it is: whatever mail it holds is sent by whoever comes next.
    let mail = mail::deliver(app, &CancellationToken::new()).await?;
    Ok((checked, mail))
}

struct Report<'a> {
    app: &'a App,
    checked: Checked,
    mail: Option<Delivered>,
}

impl Report<'_> {
    fn as_lines(&self) -> Vec<String> {
        let Checked { backlog, at, finding, refusing, told_of_refusing } = &self.checked;
        let (backlog, at, finding) = (*backlog, *at, *finding);
        let oldest = match (backlog.oldest, backlog.age(at)) {
            (Some(oldest), Some(age)) => {
                format!(
                    ", the oldest of {} ({} ago)",
                    oldest.to_rfc3339_opts(SecondsFormat::Secs, true),
                    span(age)
                )
            }
            _ => String::new(),
        };
        let mut lines = vec![format!("Events waiting for the sync: {}{oldest}.", backlog.events_pending)];
        match finding {
            Finding::NothingEnabled => lines.push(
                "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED): nothing is synced, and no alarm is raised."
                    .to_owned(),
            ),
            Finding::Calm => lines.push("No cause for alarm.".to_owned()),
            Finding::Recovered { people } => {
                lines.extend(["The cause for alarm is gone.".to_owned(), notified(people)]);
            }
            Finding::Alarmed { why, people } => {
                lines.extend([reached(why), notified(people)]);
            }
            Finding::StillAlarmed { why, told_again_from } => {
                lines.push(reached(why));
                let from = told_again_from.to_rfc3339_opts(SecondsFormat::Secs, true);
                lines.push(format!("Notified already: nobody is notified again before {from}."));
            }
        }
        if !refusing.is_empty() {
            let names: Vec<_> = refusing.iter().map(|driver| driver.title()).collect();
            lines.push(format!("ALARM: whatever is sent is refused by {}.", names.join(" and ")));
        }
        if *told_of_refusing > 0 {
            lines.push(notified(*told_of_refusing));
        }
        lines.push(match self.mail {
            None => "No mail server is configured (SMTP_URL): notifications are kept in the database only."
                .to_owned(),
            Some(Delivered { sent, postponed, given_up }) => {
                format!("Mail: {sent} sent, {postponed} to be tried again, {given_up} given up.")
            }
        });
        lines
    }

    fn as_json(&self) -> Value {
        let Checked { backlog, at, finding, refusing, told_of_refusing } = &self.checked;
        let (backlog, at, finding) = (*backlog, *at, *finding);
        let limits = &self.app.config.telemetry.alert;
        let (why, notified, told_again_from) = match finding {
            Finding::NothingEnabled | Finding::Calm => (None, 0, None),
            Finding::Recovered { people } => (None, people, None),
            Finding::Alarmed { why, people } => (Some(why), people, None),
            Finding::StillAlarmed { why, told_again_from } => (Some(why), 0, Some(told_again_from)),
        };
        json!({
            "eventsPending": backlog.events_pending,
            "oldest": backlog.oldest,
            "oldestAgeSeconds": backlog.age(at).map(|age| age.num_seconds()),
            "threshold": limits.threshold,
            "ageMinutes": limits.age.as_secs() / 60,
            "driverEnabled": finding != Finding::NothingEnabled,
            "alarmed": why.is_some(),
            "limitsReached": why.map_or(&[][..], |why| why.limits_reached()),
            "refusing": refusing.iter().map(|driver| driver.key()).collect::<Vec<_>>(),
            "notifiedOfRefusing": told_of_refusing,
            "recovered": matches!(finding, Finding::Recovered { .. }),
            "notified": notified,
            "toldAgainFrom": told_again_from,
            "mail": self.mail.map(|Delivered { sent, postponed, given_up }| {
                json!({ "sent": sent, "postponed": postponed, "givenUp": given_up })
            }),
        })
    }
}

fn reached(why: Alarm) -> String {
    format!("ALARM: the limit of {} is reached.", why.limits_reached().join(" and of "))
}

fn notified(people: usize) -> String {
    match people {
        0 => "Nobody is notified: there is no active admin or teacher admin.".to_owned(),
        1 => "One person is notified.".to_owned(),
        _ => format!("{people} people are notified."),
    }
}
