//! The stand-ins as a program, for watching a sync by eye and for scripts.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use stand_ins::fault::{Fault, Rule, trouble};
use stand_ins::smtp::{SmtpServer, Taken};
use stand_ins::{Addresses, Entry, Service, StandIns, Verdict};
use tokio::sync::broadcast::error::RecvError;

/// Stands in for GA4, Mixpanel and a mail server on this machine, and says what arrives.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where GA4 listens.
    #[arg(long, default_value = "127.0.0.1:8181")]
    ga4: SocketAddr,
    /// Where Mixpanel listens.
    #[arg(long, default_value = "127.0.0.1:8182")]
    mixpanel: SocketAddr,
    /// Where the mail server listens.
    #[arg(long, default_value = "127.0.0.1:8183")]
    smtp: SocketAddr,
    /// Where scripts ask and tell, by `/__journal`, `/__stored`, `/__faults` and others.
    #[arg(long, default_value = "127.0.0.1:8180")]
    control: SocketAddr,
    /// From what all chance comes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fail now and then, as services do.
    #[arg(long)]
    trouble: bool,
    /// Milliseconds that GA4 and Mixpanel take for each answer, so that a sync can be watched.
    #[arg(long, default_value_t = 0)]
    delay: u64,
}

/// The name of the rule that makes answers take their time, which is no trouble.
const PACE: &str = "pace";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { ga4, mixpanel, smtp, control, seed, trouble: fails, delay } = Arguments::parse();
    let stand_ins = StandIns::start_on(Addresses { ga4, mixpanel, control }, seed).await?;
    let mut mail = SmtpServer::start_on(smtp).await?;
    let mut rules = if fails { trouble() } else { Vec::new() };
    if delay > 0 {
        // Behind the others: it is for what they leave alone.
        let slow =
            |service| Rule { name: PACE.to_owned(), ..Rule::new(service, Fault::Slow).delay_millis(delay) };
        rules.extend([Service::Ga4, Service::Mixpanel].map(slow));
    }
    stand_ins.set_faults(rules)?;
    say_how_to_reach(&stand_ins, &mail);
    let mut feed = stand_ins.feed();
    loop {
        tokio::select! {
            entry = feed.recv() => match entry {
                Ok(entry) => println!("{}", line(&entry)),
                Err(RecvError::Lagged(passed_over)) => println!("… {passed_over} more requests"),
                Err(RecvError::Closed) => return Ok(()),
            },
            taken = mail.wait() => print_mail(&taken),
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

fn say_how_to_reach(stand_ins: &StandIns, mail: &SmtpServer) {
    use stand_ins::config::{API_SECRET, MEASUREMENT_ID, PROJECT_SECRET, PROJECT_TOKEN};
    println!("GA4       {}  measurement id {MEASUREMENT_ID}, API secret {API_SECRET}", stand_ins.ga4_url());
    println!("Mixpanel  {}  token {PROJECT_TOKEN}, secret {PROJECT_SECRET}", stand_ins.mixpanel_url());
    println!("Mail      {}", mail.url());
    println!("Control   {}", stand_ins.control_url());
}

/// A mail in one line.
fn print_mail(mail: &Taken) {
    println!("Mail      for {}: {}", mail.to.join(", "), mail.subject());
}

/// A request in one line: when, to whom, how many events, what became of them, and what was answered.
fn line(entry: &Arc<Entry>) -> String {
    let service = match entry.service {
        Service::Ga4 => "GA4     ",
        Service::Mixpanel => "Mixpanel",
    };
    let stored = entry.events.iter().filter(|event| event.verdict.is_stored()).count();
    let unjudged = entry.events.iter().filter(|event| event.verdict == Verdict::Unjudged).count();
    let lost = entry.events.len() - stored - unjudged;
    let answer = entry.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let fault = entry.fault.as_ref().filter(|struck| struck.rule != PACE);
    let fault = fault.map(|struck| format!("  [{}]", struck.rule)).unwrap_or_default();
    let lost = if lost > 0 { format!(", {lost} not stored") } else { String::new() };
    let time = entry.at.format("%H:%M:%S%.3f");
    format!("{time}  {service}  {:<15}  {stored:>4} stored{lost}  → {answer}{fault}", entry.route)
}
