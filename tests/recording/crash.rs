//! A server that is killed under load loses no acknowledged event.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::RecordingFixture;
use crate::harness::hub::APP_KEY;

const CLIENTS: usize = 16;

/// Starts `dataporter serve` on the fixture's database. Returns the process and its address.
fn serve(fixture: &RecordingFixture) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(["serve", "--listen", "127.0.0.1:0", "--no-scheduler"])
        .env("DATABASE_URL", fixture.hub.database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let address = ready.split_whitespace().find(|word| word.starts_with("http://"));
    (server, address.unwrap_or_else(|| panic!("{ready}")).trim_end_matches('/').to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_no_acknowledged_event() {
    let fixture = RecordingFixture::new().await;
    let service = fixture.hub.user(domain::Role::Service).await;
    // The servers use the system clock, where sessions of the test hub are not valid.
    let token = fixture.hub.api_token(service.id, &[domain::access::TokenScope::Record]).await;
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..10 {
        let (mut server, address) = serve(&fixture);
        let responses = AtomicUsize::new(0);
        let clients = (0..CLIENTS).map(|_| send_until_killed(&fixture, &address, &token, &responses));
        let kill_server = async {
            while responses.load(Ordering::Relaxed) < 40 + round * 7 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            server.kill().unwrap();
        };
        let (ids_by_client, ()) = tokio::join!(join_all(clients), kill_server);
        server.wait().unwrap();
        acknowledged.extend(ids_by_client.into_iter().flatten());
    }
    assert!(acknowledged.len() >= 10 * 40);
    let stored = fixture.hub.rows("SELECT client_event_id FROM video_player_events").await;
    // Read once: PostgreSQL may still be committing what the last server sent.
    let rows = stored.as_array().unwrap();
    let stored: std::collections::HashSet<&str> =
        rows.iter().map(|row| row["client_event_id"].as_str().unwrap()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !stored.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(rows.len(), stored.len(), "an event was stored twice");
}

/// Sends one event after another until the server is gone. Returns the ids of the acknowledged events.
async fn send_until_killed(
    fixture: &RecordingFixture,
    address: &str,
    token: &str,
    responses: &AtomicUsize,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    loop {
        let event = fixture.event(json!({}));
        let request = fixture.hub.http.post(format!("{address}/api/video/progress")).bearer_auth(token);
        let Ok(response) = request.json(&json!({ "events": [event] })).send().await else { break };
        let status = response.status();
        let Ok(body) = response.json::<Value>().await else { break };
        assert_eq!(status, 200, "{body}");
        acknowledged.push(event["clientEventId"].as_str().unwrap().to_owned());
        responses.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// The sender of a beacon closes the connection before the response.
#[tokio::test]
async fn a_server_that_shuts_down_records_accepted_events_first() {
    let fixture = RecordingFixture::new().await;
    let service = fixture.hub.user(domain::Role::Service).await;
    let token = fixture.hub.api_token(service.id, &[domain::access::TokenScope::Record]).await;
    let (mut server, address) = serve(&fixture);
    let blocker = fixture.hub.database.client().await;
    blocker.batch_execute(super::load::LOCK_EVENTS).await.unwrap();
    let request = fixture.hub.http.post(format!("{address}/api/video/progress")).bearer_auth(token);
    let beacon = request.json(&json!({ "events": [fixture.event(json!({}))] })).send();
    tokio::select! {
        response = beacon => panic!("{response:?}"),
        () = fixture.wait_for_blocked(1) => {}
    }
    kill(Pid::from_raw(i32::try_from(server.id()).unwrap()), Signal::SIGTERM).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(server.try_wait().unwrap().is_none(), "the server exited before it recorded the event");
    blocker.batch_execute("COMMIT").await.unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(fixture.count_events("true").await, 1);
}
