//! The stand-ins as a program, for demonstrations and scripts.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use stand_ins::fault::{Fault, Rule, demo_faults};
use stand_ins::smtp::{ReceivedMail, SmtpServer};
use stand_ins::{Addresses, Entry, Outcome, Service, StandIns};
use tokio::sync::broadcast::error::RecvError;

/// Runs local stand-ins for GA4, Mixpanel and a mail server, and prints the requests and mails they receive.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address of GA4.
    #[arg(long, default_value = "127.0.0.1:8181")]
    ga4: SocketAddr,
    /// Address of Mixpanel.
    #[arg(long, default_value = "127.0.0.1:8182")]
    mixpanel: SocketAddr,
    /// Address of the mail server.
    #[arg(long, default_value = "127.0.0.1:8183")]
    smtp: SocketAddr,
    /// Address of the control interface for scripts: `/__journal`, `/__stored`, `/__faults` and others.
    #[arg(long, default_value = "127.0.0.1:8180")]
    control: SocketAddr,
    /// Seed of all randomness.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fail some requests at random.
    #[arg(long)]
    faults: bool,
    /// Delay of each response of GA4 and Mixpanel, in milliseconds.
    #[arg(long, default_value_t = 0)]
    delay: u64,
}

/// The name of the rule that delays responses. It is not printed as a fault.
const DELAY_RULE: &str = "pace";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { ga4, mixpanel, smtp, control, seed, faults, delay } = Arguments::parse();
    let stand_ins = StandIns::start_on(Addresses { ga4, mixpanel, control }, seed).await?;
    let mut mail = SmtpServer::start_on(smtp).await?;
    let mut rules = if faults { demo_faults() } else { Vec::new() };
    if delay > 0 {
        // Last, so that it applies only to requests without another fault.
        let slow = |service| Rule {
            name: DELAY_RULE.to_owned(),
            ..Rule::new(service, Fault::Slow).delay_millis(delay)
        };
        rules.extend([Service::Ga4, Service::Mixpanel].map(slow));
    }
    stand_ins.set_faults(rules)?;
    print_addresses(&stand_ins, &mail);
    let mut feed = stand_ins.feed();
    loop {
        tokio::select! {
            entry = feed.recv() => match entry {
                Ok(entry) => println!("{}", format_entry(&entry)),
                Err(RecvError::Lagged(skipped)) => println!("… {skipped} more requests"),
                Err(RecvError::Closed) => return Ok(()),
            },
            received = mail.wait() => print_mail(&received),
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

fn print_addresses(stand_ins: &StandIns, mail: &SmtpServer) {
    use stand_ins::config::{API_SECRET, MEASUREMENT_ID, PROJECT_SECRET, PROJECT_TOKEN};
    println!("GA4       {}  measurement id {MEASUREMENT_ID}, API secret {API_SECRET}", stand_ins.ga4_url());
    println!("Mixpanel  {}  token {PROJECT_TOKEN}, secret {PROJECT_SECRET}", stand_ins.mixpanel_url());
    println!("Mail      {}", mail.url());
    println!("Control   {}", stand_ins.control_url());
}

/// Prints a mail on one line.
fn print_mail(mail: &ReceivedMail) {
    println!("Mail      for {}: {}", mail.to.join(", "), mail.subject());
}

/// Formats a request on one line: time, service, path, outcomes of events, status and fault.
fn format_entry(entry: &Arc<Entry>) -> String {
    let service = match entry.service {
        Service::Ga4 => "GA4     ",
        Service::Mixpanel => "Mixpanel",
    };
    let stored = entry.events.iter().filter(|event| event.verdict.is_stored()).count();
    let unprocessed = entry.events.iter().filter(|event| event.verdict == Outcome::Unjudged).count();
    let not_stored = entry.events.len() - stored - unprocessed;
    let status = entry.status.map_or_else(|| "no response".to_owned(), |status| status.to_string());
    let fault = entry.fault.as_ref().filter(|injected| injected.rule != DELAY_RULE);
    let fault = fault.map(|injected| format!("  [{}]", injected.rule)).unwrap_or_default();
    let not_stored = if not_stored > 0 { format!(", {not_stored} not stored") } else { String::new() };
    let time = entry.at.format("%H:%M:%S%.3f");
    format!("{time}  {service}  {:<15}  {stored:>4} stored{not_stored}  → {status}{fault}", entry.route)
}
