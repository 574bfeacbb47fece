//! A server that is killed under load loses no event that it acknowledged.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::Classroom;
use crate::harness::hub::APP_KEY;

const CLIENTS: usize = 16;

/// A `dataporter serve` of its own on the classroom's database, and its address.
fn serve(class: &Classroom) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(["serve", "--listen", "127.0.0.1:0", "--no-scheduler"])
        .env("DATABASE_URL", class.hub.database.url.expose_secret())
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
    let class = Classroom::open().await;
    let service = class.hub.user(domain::Role::Service).await;
    // The servers go by the system's clock, and the hub of the tests does not.
    let token = class.hub.api_token(service.id, &[domain::access::TokenScope::Record]).await;
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..10 {
        let (mut server, address) = serve(&class);
        let answered = AtomicUsize::new(0);
        let clients = (0..CLIENTS).map(|_| send_until_it_is_gone(&class, &address, &token, &answered));
        let killed = async {
            while answered.load(Ordering::Relaxed) < 40 + round * 7 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            server.kill().unwrap();
        };
        let (told, ()) = tokio::join!(join_all(clients), killed);
        server.wait().unwrap();
        acknowledged.extend(told.into_iter().flatten());
    }
    assert!(acknowledged.len() >= 10 * 40);
    let stored = class.hub.rows("SELECT client_event_id FROM video_player_events").await;
    let stored: std::collections::HashSet<&str> =
        stored.as_array().unwrap().iter().map(|row| row["client_event_id"].as_str().unwrap()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !stored.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(class.count("true").await, i64::try_from(stored.len()).unwrap(), "none is there twice");
}

/// Sends one event after the other, and answers with the ids of those that were acknowledged.
async fn send_until_it_is_gone(
    class: &Classroom,
    address: &str,
    token: &str,
    answered: &AtomicUsize,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    loop {
        let event = class.event(json!({}));
        let request = class.hub.http.post(format!("{address}/api/video/progress")).bearer_auth(token);
        let Ok(answer) = request.json(&json!({ "events": [event] })).send().await else { break };
        let status = answer.status();
        let Ok(body) = answer.json::<Value>().await else { break };
        assert_eq!(status, 200, "{body}");
        acknowledged.push(event["clientEventId"].as_str().unwrap().to_owned());
        answered.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// The sender of a beacon is gone before there is an answer.
#[tokio::test]
async fn a_server_that_is_told_to_end_records_what_it_took_first() {
    let class = Classroom::open().await;
    let service = class.hub.user(domain::Role::Service).await;
    let token = class.hub.api_token(service.id, &[domain::access::TokenScope::Record]).await;
    let (mut server, address) = serve(&class);
    let holder = class.hub.database.client().await;
    holder.batch_execute(super::load::HOLD).await.unwrap();
    let request = class.hub.http.post(format!("{address}/api/video/progress")).bearer_auth(token);
    let beacon = request.json(&json!({ "events": [class.event(json!({}))] })).send();
    tokio::select! {
        answer = beacon => panic!("{answer:?}"),
        () = class.wait_for_waiting(1) => {}
    }
    kill(Pid::from_raw(i32::try_from(server.id()).unwrap()), Signal::SIGTERM).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(server.try_wait().unwrap().is_none(), "it waits for what it took");
    holder.batch_execute("COMMIT").await.unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(class.count("true").await, 1);
}
