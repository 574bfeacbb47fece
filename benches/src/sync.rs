//! Compares the sync of pending events to stand-ins for GA4 and Mixpanel with an HTTP client that posts the
//! same bodies with the same concurrency, in alternation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use stand_ins::config::{self as valid, Keep};
use stand_ins::fault::{Fault, Rule};
use stand_ins::{Entry, Service, StandIns};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::hub::Hub;
use crate::psql::Psql;
use crate::series::Series;

/// The size of the benchmark.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number of pending events.
    #[arg(long, default_value_t = Arguments::default().events)]
    events: usize,
    /// Number of measurement pairs, after a run that records the bodies for the client.
    #[arg(long, default_value_t = Arguments::default().pairs)]
    pairs: usize,
    /// Response time of the services in milliseconds.
    #[arg(long, default_value_t = Arguments::default().answer_after)]
    answer_after: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { events: 100_000, pairs: 3, answer_after: 0 }
    }
}

/// Concurrent requests, as configured in the hub by default.
const GA4_CONCURRENCY: usize = 8;
const MIXPANEL_CONCURRENCY: usize = 2;

/// Runs the comparison and prints it.
pub async fn run(arguments: Arguments) -> Result<()> {
    let services = StandIns::start().await?;
    let hub = Hub::start().await?;
    let psql = hub.psql()?;
    fill(&psql, arguments.events)?;
    delay_responses(&services, arguments.answer_after)?;
    sync(&hub, &services, arguments.events)?;
    let recorded = services.journal();
    let (mut ours, mut theirs) = (Series::default(), Series::default());
    for _ in 0..arguments.pairs {
        services.configure(|config| (config.journal, config.stored) = (Keep::Nothing, Keep::Nothing));
        services.reset();
        delay_responses(&services, arguments.answer_after)?;
        services.configure(|config| (config.journal, config.stored) = (Keep::Nothing, Keep::Nothing));
        theirs.add(post(&services, &recorded).await?);
        reset_deliveries(&psql)?;
        ours.add(sync(&hub, &services, arguments.events)?);
    }
    println!(
        "\nsync of {} events, to GA4 one per request and to Mixpanel in batches, response time {} ms",
        arguments.events, arguments.answer_after
    );
    println!("  the hub           {ours}");
    println!("  an HTTP client    {theirs}   posting the same {} bodies", recorded.len());
    println!("  ratio of rates    {:.2}   (target: at least 0.8)", theirs.ratio_to(&ours));
    Ok(())
}

/// Sets the response time of both services.
fn delay_responses(services: &StandIns, millis: u64) -> Result<()> {
    if millis > 0 {
        let slow = |service| Rule::new(service, Fault::Slow).delay_millis(millis);
        services.set_faults([slow(Service::Ga4), slow(Service::Mixpanel)])?;
    }
    Ok(())
}

/// Inserts unsent events of the last two and a half days.
fn fill(psql: &Psql, events: usize) -> Result<()> {
    psql.run(&format!(
        "SET synchronous_commit = off;
         INSERT INTO users (id, name, email, role)
             SELECT 1000 + n, 'Student ' || n, 'student-' || n || '@academy.example', 'student'
             FROM generate_series(1, 2000) n;
         INSERT INTO courses (id, slug, titles) VALUES (1, 'course', '{{\"en\": \"Course\"}}');
         INSERT INTO lessons (id, course_id, title) SELECT n, 1, 'Lesson ' || n FROM generate_series(1, 60) n;
         SELECT ensure_player_event_partitions((now() - interval '3 days')::date, now()::date);
         INSERT INTO video_player_events (recorded_at, user_id, course_id, lesson_id, event, provider,
             playback_seconds, watched_seconds, video_duration, metadata, client_event_id)
         SELECT now() - interval '60 hours' * (1 - n::float8 / {events}), 1001 + (n * 7919) % 2000, 1, 1 + n % 60,
             'progress_tick', 'youtube', n % 1800, 15, 1800,
             CASE WHEN n % 10 = 0 THEN '{{\"cta\": \"banner\", \"place\": 3}}'::jsonb END, gen_random_uuid()
         FROM generate_series(1, {events}) n;
         VACUUM (ANALYZE) users; VACUUM (ANALYZE) lessons; VACUUM (ANALYZE) video_player_events;"
    ))?;
    Ok(())
}

/// Makes every event unsent again.
fn reset_deliveries(psql: &Psql) -> Result<()> {
    psql.run(
        "SET synchronous_commit = off; UPDATE video_player_events SET synced_at = NULL;
         TRUNCATE telemetry_deliveries, telemetry_pending;
         INSERT INTO telemetry_pending (recorded_at, event_id)
             SELECT recorded_at, id FROM video_player_events ORDER BY recorded_at, id;
         VACUUM FULL video_player_events; VACUUM (ANALYZE) video_player_events; VACUUM (ANALYZE) telemetry_pending;",
    )?;
    Ok(())
}

/// Runs the sync. Returns the duration that it reports.
fn sync(hub: &Hub, services: &StandIns, events: usize) -> Result<Duration> {
    let output = hub
        .command()?
        .args(["telemetry:sync", "--until-empty", "--json"])
        .envs([
            ("GA4_ENABLED", "true"),
            ("GA4_MEASUREMENT_ID", valid::MEASUREMENT_ID),
            ("GA4_API_SECRET", valid::API_SECRET),
            ("GA4_BASE_URL", &services.ga4_url()),
            ("MIXPANEL_ENABLED", "true"),
            ("MIXPANEL_PROJECT_TOKEN", valid::PROJECT_TOKEN),
            ("MIXPANEL_API_SECRET", valid::PROJECT_SECRET),
            ("MIXPANEL_BASE_URL", &services.mixpanel_url()),
        ])
        .output()?;
    ensure!(output.status.success(), "The sync failed: {}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(run["processed"] == events, "Not all events were sent: {run}");
    Ok(Duration::from_millis(run["durationMs"].as_u64().context("The run has no duration")?))
}

/// Measures how long a client takes to post the same bodies to both services at the same time.
async fn post(services: &StandIns, recorded: &[Arc<Entry>]) -> Result<Duration> {
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for (service, concurrency, base) in [
        (Service::Ga4, GA4_CONCURRENCY, services.ga4_url()),
        (Service::Mixpanel, MIXPANEL_CONCURRENCY, services.mixpanel_url()),
    ] {
        let client = Client::builder().no_proxy().build()?;
        let entries: Vec<_> = recorded.iter().filter(|entry| entry.service == service).cloned().collect();
        let queue = Arc::new(Mutex::new(entries));
        for _ in 0..concurrency {
            let (client, queue, base) = (client.clone(), Arc::clone(&queue), base.clone());
            senders.spawn(async move {
                loop {
                    let Some(entry) = queue.lock().await.pop() else { return Ok(()) };
                    let response = request(&client, &base, &entry).send().await?;
                    ensure!(response.status().is_success(), "Request failed: {}", response.status());
                    response.bytes().await?;
                }
            });
        }
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    Ok(began.elapsed())
}

/// Rebuilds a request that the hub sent.
fn request(client: &Client, base: &str, entry: &Entry) -> RequestBuilder {
    let query: Vec<String> = entry.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut request = client.post(format!("{base}{}?{}", entry.route, query.join("&")));
    for (name, value) in &entry.headers {
        if !matches!(name.as_str(), "host" | "content-length" | "accept" | "user-agent") {
            request = request.header(name, value);
        }
    }
    request.body(entry.body.clone())
}
