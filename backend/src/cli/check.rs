//! `dataporter telemetry:check`

use anyhow::anyhow;
use serde_json::{Value, json};

use super::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry::driver::{self, Checked, NotConfigured};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found out about a driver.
struct Found {
    title: &'static str,
    key: &'static str,
    problems: Vec<String>,
    unproven: Option<&'static str>,
    lacks: bool,
}

/// Tries the settings of each driver out, without a database.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let mut found = Vec::new();
    for (name, driver) in driver::enabled(&config.telemetry) {
        let (problems, unproven, lacks) = match driver {
            Err(NotConfigured(setting)) => (vec![format!("{setting} is missing")], None, true),
            Ok(driver) => match driver.check(Clock::system().now()).await {
                Checked::Good { unproven } => (Vec::new(), unproven, false),
                Checked::Bad(problems) => (problems, None, false),
            },
        };
        found.push(Found { title: name.title(), key: name.key(), problems, unproven, lacks });
    }
    if arguments.json {
        println!("{}", in_json(&found));
    } else {
        print!("{}", in_words(&found));
    }
    let bad: Vec<&str> =
        found.iter().filter(|found| !found.problems.is_empty()).map(|found| found.title).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let said = format!("Something is wrong with {}", bad.join(" and "));
    Err(if found.iter().any(|found| found.lacks) {
        Failure::Usage(said)
    } else {
        Failure::Failed(anyhow!(said))
    })
}

fn in_words(found: &[Found]) -> String {
    if found.is_empty() {
        return "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED)\n".to_owned();
    }
    let mut lines = Vec::new();
    for Found { title, problems, unproven, .. } in found {
        if problems.is_empty() {
            lines.push(format!("{title}: good\n"));
        }
        lines.extend(problems.iter().map(|problem| format!("{title}: {problem}\n")));
        lines.extend(unproven.map(|unproven| format!("  It cannot be told {unproven}.\n")));
    }
    lines.concat()
}

fn in_json(found: &[Found]) -> Value {
    let drivers: Vec<Value> = found
        .iter()
        .map(|Found { key, problems, unproven, .. }| {
            json!({ "driver": key, "good": problems.is_empty(), "problems": problems, "unproven": unproven })
        })
        .collect();
    json!({ "drivers": drivers })
}
