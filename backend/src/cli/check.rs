//! `dataporter telemetry:check`

use anyhow::anyhow;
use serde_json::{Value, json};

use super::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry::driver::{self, CheckResult, NotConfigured};

/// The arguments of `dataporter telemetry:check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The result of checking one driver.
struct DriverReport {
    title: &'static str,
    key: &'static str,
    problems: Vec<String>,
    unproven: Option<&'static str>,
    is_setting_missing: bool,
}

/// Tests the settings of each enabled driver. This needs no database.
pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let mut reports = Vec::new();
    for (name, driver) in driver::enabled(&config.telemetry) {
        let (problems, unproven, is_setting_missing) = match driver {
            Err(NotConfigured(setting)) => (vec![format!("{setting} is missing")], None, true),
            Ok(driver) => match driver.check(Clock::system().now()).await {
                CheckResult::Passed { unproven } => (Vec::new(), unproven, false),
                CheckResult::Failed(problems) => (problems, None, false),
            },
        };
        reports.push(DriverReport {
            title: name.title(),
            key: name.key(),
            problems,
            unproven,
            is_setting_missing,
        });
    }
    if arguments.json {
        println!("{}", to_json(&reports));
    } else {
        print!("{}", describe(&reports));
    }
    let failed: Vec<&str> =
        reports.iter().filter(|report| !report.problems.is_empty()).map(|report| report.title).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let message = format!("The check failed for {}", failed.join(" and "));
    Err(if reports.iter().any(|report| report.is_setting_missing) {
        Failure::Usage(message)
    } else {
        Failure::Failed(anyhow!(message))
    })
}

fn describe(reports: &[DriverReport]) -> String {
    if reports.is_empty() {
        return "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED)\n".to_owned();
    }
    let mut lines = Vec::new();
    for DriverReport { title, problems, unproven, .. } in reports {
        if problems.is_empty() {
            lines.push(format!("{title}: OK\n"));
        }
        lines.extend(problems.iter().map(|problem| format!("{title}: {problem}\n")));
        lines.extend(unproven.map(|unproven| format!("  Not verified: {unproven}.\n")));
    }
    lines.concat()
}

fn to_json(reports: &[DriverReport]) -> Value {
    let drivers: Vec<Value> = reports
        .iter()
        .map(|DriverReport { key, problems, unproven, .. }| {
            json!({ "driver": key, "good": problems.is_empty(), "problems": problems, "unproven": unproven })
        })
        .collect();
    json!({ "drivers": drivers })
}
