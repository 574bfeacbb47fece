//! What must be true when nothing is owed any more, whatever went wrong before.

use std::collections::BTreeMap;

use stand_ins::fault::{Fault, Point};
use stand_ins::{Service, config as valid};

use super::storm::Storm;
use super::world::{Clients, uid};

/// What the hub has on record of an event at a driver.
struct Delivery {
    event: i64,
    driver: String,
    state: String,
    unanswered: i32,
    maybe_duplicate: bool,
    error_class: Option<String>,
}

/// How often the services have each event.
struct Found {
    at_ga4: BTreeMap<String, usize>,
    /// As its reports show it.
    at_mixpanel: BTreeMap<String, usize>,
}

/// An event was sent to GA4 so often without an answer that says what became of it, and is not sent a third time.
const IN_DOUBT: i32 = 2;

/// So many requests of a seed may be answered too late because the machine is busy.
const LATE: i32 = 2;

/// What is not as it must be.
pub async fn complaints(storm: &Storm) -> Vec<String> {
    let deliveries = deliveries(storm).await;
    let services = &storm.world.services;
    let mut found = Found {
        at_ga4: services.ga4_copies_by_event_uid(),
        at_mixpanel: services.mixpanel_deduped_by_event_uid(),
    };
    for event in &storm.world.doomed {
        found.at_mixpanel.remove(&uid(*event));
    }
    let mut complaints = whole(storm, &deliveries, &found);
    for delivery in &deliveries {
        let complaint = match delivery.driver.as_str() {
            "ga4" => at_ga4(storm, delivery, &found),
            _ => at_mixpanel(storm, delivery, &found),
        };
        complaints.extend(complaint.map(|what| format!("{} of {}: {what}", delivery.driver, delivery.event)));
    }
    complaints.extend(unexplained(storm, &deliveries));
    complaints.extend(told(storm).await);
    complaints.truncate(20);
    complaints
}

/// Every event has a record for each driver, and the services hold no others.
fn whole(storm: &Storm, deliveries: &[Delivery], found: &Found) -> Vec<String> {
    let events = &storm.world.events;
    let mut complaints = Vec::new();
    if deliveries.len() != 2 * events.len() {
        complaints.push(format!("{} records of {} events", deliveries.len(), events.len()));
    }
    let shown: usize = found.at_mixpanel.values().sum();
    if shown != events.len() - storm.world.refused_by_mixpanel.len() || found.at_mixpanel.len() != shown {
        complaints.push(format!("Mixpanel shows {shown} events by {} ids", found.at_mixpanel.len()));
    }
    complaints
}

/// Mixpanel shows every event that it does not refuse, once.
fn at_mixpanel(storm: &Storm, delivery: &Delivery, found: &Found) -> Option<String> {
    let shown = found.at_mixpanel.get(&uid(delivery.event)).copied();
    let is_refused = storm.world.refused_by_mixpanel.contains(&delivery.event);
    let wanted = if is_refused { ("dead", None) } else { ("delivered", Some(1)) };
    let is = (delivery.state.as_str(), shown);
    (is != wanted).then(|| format!("{is:?} where {wanted:?} is wanted"))
}

/// GA4 has every event that it does not refuse, more than once only where that is on record.
fn at_ga4(storm: &Storm, delivery: &Delivery, found: &Found) -> Option<String> {
    let Delivery { event, state, unanswered, maybe_duplicate, error_class, .. } = delivery;
    let copies = found.at_ga4.get(&uid(*event)).copied().unwrap_or_default();
    let (is_refused, is_old) =
        (storm.world.refused_by_ga4.contains(event), storm.world.too_old_for_ga4.contains(event));
    let is_in_doubt =
        state == "dead" && error_class.as_deref() == Some("ambiguous") && *unanswered >= IN_DOUBT;
    if copies > 2 || (copies > 1 && !maybe_duplicate) {
        return Some(format!("{copies} copies, marked: {maybe_duplicate}"));
    }
    let is_well = match state.as_str() {
        "delivered" => !is_refused && !is_old && copies > 0,
        "expired" => is_old && copies == 0,
        // What was on record as being sent when two runs were killed counts as sent; the second time it was just going out.
        "dead" if is_in_doubt => *maybe_duplicate,
        "dead" => is_refused && copies == 0,
        _ => false,
    };
    (!is_well).then(|| format!("{state} ({error_class:?}, {unanswered} unanswered), {copies} copies"))
}

/// No more requests were left in doubt than the services and the kills account for.
fn unexplained(storm: &Storm, deliveries: &[Delivery]) -> Option<String> {
    if storm.log.lost_sight {
        return None;
    }
    let mut known: BTreeMap<String, i32> = BTreeMap::new();
    for (event, kills) in &storm.log.killed_with {
        known.insert(uid(*event), *kills);
    }
    for request in storm.world.services.requests(Service::Ga4) {
        let is_in_doubt = request.fault.as_ref().is_some_and(|struck| match &struck.fault {
            Fault::Break { at, .. } => matches!(at, Point::BeforeAnswer | Point::MidHead),
            Fault::Answer(answer) => matches!(answer.status, 408 | 500 | 502 | 504),
            _ => false,
        });
        if is_in_doubt {
            for uid in request.event_uids() {
                *known.entry(uid.to_owned()).or_default() += 1;
            }
        }
    }
    let of_ga4 = deliveries.iter().filter(|delivery| delivery.driver == "ga4");
    let excess = |delivery: &Delivery| {
        let explained = known.get(&uid(delivery.event)).copied().unwrap_or_default();
        (delivery.unanswered - explained).max(0)
    };
    let unexplained: Vec<&Delivery> = of_ga4.filter(|delivery| excess(delivery) > 0).collect();
    let unknown: i32 = unexplained.iter().map(|delivery| excess(delivery)).sum();
    // A request of which nobody knows what was in it may have held as many events as go together.
    let events_a_request = match storm.world.clients {
        Clients::Many => 1,
        Clients::OneAViewer => 25,
    };
    let accounted_for = (storm.log.unread + LATE) * events_a_request;
    (unknown > accounted_for).then(|| {
        let requests: Vec<String> =
            unexplained.iter().take(3).map(|delivery| requests_with(storm, delivery.event)).collect();
        format!(
            "{unknown} times without an answer, of which {accounted_for} are accounted for: {requests:#?}"
        )
    })
}

/// What GA4 was asked with this event in it, and what came of it.
fn requests_with(storm: &Storm, event: i64) -> String {
    let name = uid(event);
    let requests = storm.world.services.requests(Service::Ga4);
    let with_it = requests.iter().filter(|request| request.event_uids().contains(&name.as_str()));
    let told = with_it.map(|request| {
        let fault = request.fault.as_ref().map(|struck| &struck.fault);
        format!("{} on {}: {:?} {fault:?}", request.at, request.connection, request.status)
    });
    format!("{name}: {}", told.collect::<Vec<_>>().join("; "))
}

/// Events are synced exactly where nothing is owed, which is all of them; and no secret was told anywhere.
async fn told(storm: &Storm) -> Vec<String> {
    let client = storm.world.database.client().await;
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
    let written: String = row.get(3);
    let mut complaints = Vec::new();
    if (unsynced, running, pending) != (0, 0, 0) {
        complaints.push(format!(
            "{unsynced} events are not synced, {running} runs are under way, {pending} deliveries are pending"
        ));
    }
    for secret in [valid::API_SECRET, valid::PROJECT_SECRET, valid::PROJECT_TOKEN] {
        if written.contains(secret) || storm.log.said.contains(secret) {
            complaints.push(format!("{secret} was told"));
        }
    }
    if storm.log.said.contains("panicked") {
        complaints.push("the program panicked".to_owned());
    }
    complaints
}

async fn deliveries(storm: &Storm) -> Vec<Delivery> {
    let select = "SELECT event_id, driver, state, unanswered, maybe_duplicate, error_class FROM telemetry_deliveries \
                  ORDER BY recorded_at, event_id, driver";
    let rows = storm.world.database.client().await.query(select, &[]).await.unwrap();
    let delivery = |row: &tokio_postgres::Row| Delivery {
        event: row.get(0),
        driver: row.get(1),
        state: row.get(2),
        unanswered: row.get(3),
        maybe_duplicate: row.get(4),
        error_class: row.get(5),
    };
    rows.iter().map(delivery).filter(|delivery| !storm.world.doomed.contains(&delivery.event)).collect()
}
