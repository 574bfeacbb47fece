//! Assertions that hold when no event is pending any more, whatever failed before.

use std::collections::BTreeMap;

use stand_ins::fault::{Fault, Point};
use stand_ins::{Service, config as valid};

use super::model::ClientIds;
use super::runner::Runner;
use crate::sync::actions::uid;

/// The delivery record of an event at a driver.
struct Delivery {
    event: i64,
    driver: String,
    state: String,
    unanswered: i32,
    maybe_duplicate: bool,
    error_class: Option<String>,
}

/// The number of copies of each event at the services.
struct Copies {
    ga4: BTreeMap<String, usize>,
    /// After deduplication.
    mixpanel: BTreeMap<String, usize>,
}

/// An event that was sent to GA4 this many times without a conclusive response is not sent again.
const MAX_UNANSWERED: i32 = 2;

/// Requests of a seed that may time out because the machine is busy.
const MAX_LATE_RESPONSES: i32 = 2;

/// The violations of the assertions, at most 20.
pub async fn violations(runner: &Runner) -> Vec<String> {
    let deliveries = deliveries(runner).await;
    let services = &runner.model.services;
    let mut copies = Copies {
        ga4: services.ga4_copies_by_event_uid(),
        mixpanel: services.mixpanel_deduped_by_event_uid(),
    };
    for event in &runner.model.dropped {
        copies.mixpanel.remove(&uid(*event));
    }
    let mut violations = check_completeness(runner, &deliveries, &copies);
    for delivery in &deliveries {
        let violation = match delivery.driver.as_str() {
            "ga4" => check_ga4(runner, delivery, &copies),
            _ => check_mixpanel(runner, delivery, &copies),
        };
        violations.extend(
            violation.map(|description| format!("{} of {}: {description}", delivery.driver, delivery.event)),
        );
    }
    violations.extend(check_unanswered(runner, &deliveries));
    violations.extend(check_database_and_output(runner).await);
    violations.truncate(20);
    violations
}

/// Checks that every event has a record for each driver, and that Mixpanel has no other events.
fn check_completeness(runner: &Runner, deliveries: &[Delivery], copies: &Copies) -> Vec<String> {
    let events = &runner.model.events;
    let mut violations = Vec::new();
    if deliveries.len() != 2 * events.len() {
        violations.push(format!("{} records of {} events", deliveries.len(), events.len()));
    }
    let stored: usize = copies.mixpanel.values().sum();
    if stored != events.len() - runner.model.refused_by_mixpanel.len() || copies.mixpanel.len() != stored {
        violations.push(format!("Mixpanel has {stored} events with {} ids", copies.mixpanel.len()));
    }
    violations
}

/// Checks that Mixpanel has every event that it does not refuse, once.
fn check_mixpanel(runner: &Runner, delivery: &Delivery, copies: &Copies) -> Option<String> {
    let stored = copies.mixpanel.get(&uid(delivery.event)).copied();
    let is_refused = runner.model.refused_by_mixpanel.contains(&delivery.event);
    let expected = if is_refused { ("dead", None) } else { ("delivered", Some(1)) };
    let actual = (delivery.state.as_str(), stored);
    (actual != expected).then(|| format!("{actual:?} instead of {expected:?}"))
}

/// Checks that GA4 has every event that it does not refuse. Duplicates must be marked in the delivery record.
fn check_ga4(runner: &Runner, delivery: &Delivery, copies: &Copies) -> Option<String> {
    let Delivery { event, state, unanswered, maybe_duplicate, error_class, .. } = delivery;
    let copies = copies.ga4.get(&uid(*event)).copied().unwrap_or_default();
    let (is_refused, is_old) =
        (runner.model.refused_by_ga4.contains(event), runner.model.too_old_for_ga4.contains(event));
    let is_ambiguous =
        state == "dead" && error_class.as_deref() == Some("ambiguous") && *unanswered >= MAX_UNANSWERED;
    if copies > 2 || (copies > 1 && !maybe_duplicate) {
        return Some(format!("{copies} copies, maybe_duplicate: {maybe_duplicate}"));
    }
    let is_valid = match state.as_str() {
        "delivered" => !is_refused && !is_old && copies > 0,
        "expired" => is_old && copies == 0,
        // An event that was leased when two runs were killed counts as sent, although it may never have left
        // the program.
        "dead" if is_ambiguous => *maybe_duplicate,
        "dead" => is_refused && copies == 0,
        _ => false,
    };
    (!is_valid).then(|| format!("{state} ({error_class:?}, {unanswered} unanswered), {copies} copies"))
}

/// Checks that faults and kills explain every attempt without a conclusive response.
fn check_unanswered(runner: &Runner, deliveries: &[Delivery]) -> Option<String> {
    if runner.observed.has_lost_outcomes {
        return None;
    }
    let mut explained_by_event: BTreeMap<String, i32> = BTreeMap::new();
    for (event, kills) in &runner.observed.killed_in_flight {
        explained_by_event.insert(uid(*event), *kills);
    }
    for request in runner.model.services.requests(Service::Ga4) {
        let is_ambiguous = request.fault.as_ref().is_some_and(|applied| match &applied.fault {
            Fault::Break { at, .. } => matches!(at, Point::BeforeAnswer | Point::MidHead),
            Fault::Answer(answer) => matches!(answer.status, 408 | 500 | 502 | 504),
            _ => false,
        });
        if is_ambiguous {
            for uid in request.event_uids() {
                *explained_by_event.entry(uid.to_owned()).or_default() += 1;
            }
        }
    }
    let ga4_deliveries = deliveries.iter().filter(|delivery| delivery.driver == "ga4");
    let excess = |delivery: &Delivery| {
        let explained = explained_by_event.get(&uid(delivery.event)).copied().unwrap_or_default();
        (delivery.unanswered - explained).max(0)
    };
    let unexplained: Vec<&Delivery> = ga4_deliveries.filter(|delivery| excess(delivery) > 0).collect();
    let excess_total: i32 = unexplained.iter().map(|delivery| excess(delivery)).sum();
    // An unread request may have held as many events as fit into one request.
    let events_per_request = match runner.model.client_ids {
        ClientIds::PerEvent => 1,
        ClientIds::PerViewer => 25,
    };
    let max_excess = (runner.observed.unread_requests + MAX_LATE_RESPONSES) * events_per_request;
    (excess_total > max_excess).then(|| {
        let requests: Vec<String> =
            unexplained.iter().take(3).map(|delivery| describe_requests(runner, delivery.event)).collect();
        format!(
            "{excess_total} unexplained attempts without a response, at most {max_excess} allowed: {requests:#?}"
        )
    })
}

/// Describes the requests to GA4 that contained this event, and their outcomes.
fn describe_requests(runner: &Runner, event: i64) -> String {
    let name = uid(event);
    let requests = runner.model.services.requests(Service::Ga4);
    let containing = requests.iter().filter(|request| request.event_uids().contains(&name.as_str()));
    let descriptions = containing.map(|request| {
        let fault = request.fault.as_ref().map(|applied| &applied.fault);
        format!("{} on {}: {:?} {fault:?}", request.at, request.connection, request.status)
    });
    format!("{name}: {}", descriptions.collect::<Vec<_>>().join("; "))
}

/// Checks that every event is synced, that no run or delivery is open, and that no secret was stored or
/// printed.
async fn check_database_and_output(runner: &Runner) -> Vec<String> {
    let client = runner.model.database.client().await;
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM video_player_events WHERE synced_at IS NULL), \
                 (SELECT count(*) FROM telemetry_sync_logs WHERE status = 'running'), \
                 (SELECT count(*) FROM telemetry_pending) \
                     + (SELECT count(*) FROM telemetry_deliveries WHERE state IN ('pending', 'retry')), \
                 coalesce((SELECT string_agg(concat(log.drivers, log.message), '') FROM telemetry_sync_logs AS log), '') || \
                 coalesce((SELECT string_agg(concat(endpoint, error_code, error_message), '') \
                     FROM telemetry_deliveries WHERE error_class IS NOT NULL), '')",
            &[],
        )
        .await
        .unwrap();
    let (unsynced, running, pending): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let stored: String = row.get(3);
    let mut violations = Vec::new();
    if (unsynced, running, pending) != (0, 0, 0) {
        violations.push(format!(
            "{unsynced} events are not synced, {running} runs are in progress, {pending} deliveries are pending"
        ));
    }
    for secret in [valid::API_SECRET, valid::PROJECT_SECRET, valid::PROJECT_TOKEN] {
        if stored.contains(secret) || runner.observed.output.contains(secret) {
            violations.push(format!("the secret {secret} was stored or printed"));
        }
    }
    if runner.observed.output.contains("panicked") {
        violations.push("the program panicked".to_owned());
    }
    violations
}

async fn deliveries(runner: &Runner) -> Vec<Delivery> {
    let select = "SELECT event_id, driver, state, unanswered, maybe_duplicate, error_class FROM telemetry_deliveries \
                  ORDER BY recorded_at, event_id, driver";
    let rows = runner.model.database.client().await.query(select, &[]).await.unwrap();
    let delivery = |row: &tokio_postgres::Row| Delivery {
        event: row.get(0),
        driver: row.get(1),
        state: row.get(2),
        unanswered: row.get(3),
        maybe_duplicate: row.get(4),
        error_class: row.get(5),
    };
    rows.iter().map(delivery).filter(|delivery| !runner.model.dropped.contains(&delivery.event)).collect()
}
