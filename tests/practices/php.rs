//! The PHP client against a running hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::post;
use domain::access::TokenScope;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use super::Platform;
use super::webhook::SECRET;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/php");

/// Runs a script with the client loaded and `$url`, `$secret` and `$token` set. Returns what it prints as JSON.
async fn run(url: &str, secret: &str, token: &str, script: &str) -> Value {
    let php = std::env::var("PHP").expect("PHP is set by scripts/env.sh");
    let script = format!(
        "error_reporting(E_ALL); set_error_handler(function ($no, $text) {{ if (error_reporting() & $no) throw new Exception($text); }}); \
         require '{CLIENT}/src/DataPorter.php'; [$url, $secret, $token] = array_slice($argv, 1); \
         $hub = new DataPorter\\Hub($url, $secret, $token); {script}"
    );
    let output = Command::new(php).args(["-r", &script, "--", url, secret, token]).output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}{errors}"))
}

/// A hub that the client can use, and the token of its service.
async fn platform() -> (Platform, String) {
    // The client signs with the system's time.
    let platform =
        Platform::with_clock_of_the_system(|config| config.auth.webhook_secrets = vec![SECRET.into()]).await;
    let token = platform.hub.api_token(platform.service.id, &[TokenScope::Record]).await;
    (platform, token)
}

const EVENTS: &str = "
    use DataPorter\\Hub;
    $events = [
        Hub::event('practicePackagePurchased', ['practicePackageId' => '21', 'userId' => '101', 'orderId' => '81',
            'paidAt' => new DateTimeImmutable('2026-01-01 10:00:00.5', new DateTimeZone('America/Bogota')), 'meta' => ['a' => 1.0]]),
        Hub::event('practiceReserved', ['practiceId' => 31, 'userId' => 101, 'reservationId' => '91']),
        Hub::event('reservationCancelled', ['practiceId' => '31', 'userId' => '101']),
        Hub::event('practiceSessionConsumed', ['orderId' => '81']),
        Hub::event('practiceRequestEscalated', ['lessonId' => '11', 'pendingRequests' => 3, 'recipientIds' => ['1', '2']]),
        Hub::event('practiceReserved', ['practiceId' => '34', 'userId' => '101']),
    ];";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_event_is_published_and_repeated_without_effect() {
    let (platform, token) = platform().await;
    let script = format!("{EVENTS} echo json_encode([$hub->publish($events), $hub->publish($events)]);");
    let results = run(&platform.hub.url(""), SECRET, &token, &script).await;
    let states = |results: &Value| -> Vec<String> {
        let state = |result: &Value| match result["error"]["reason"].as_str() {
            Some(reason) => reason.to_owned(),
            None if result["duplicate"] == true => "duplicate".to_owned(),
            None => "applied".to_owned(),
        };
        results.as_array().unwrap().iter().map(state).collect()
    };
    let expected = |state: &str| {
        let mut states = vec![state.to_owned(); 5];
        states.push("PRACTICE_CANCELLED".to_owned());
        states
    };
    assert_eq!(states(&results[0]), expected("applied"));
    assert_eq!(states(&results[1]), expected("duplicate"));
    let order = "SELECT paid_at, meta FROM practice_package_orders WHERE id = 81";
    let expected = json!([{"paid_at": "2026-01-01T15:00:00.5+00:00", "meta": {"a": 1.0}}]);
    assert_eq!(platform.hub.rows(order).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_answer_is_repeated_with_the_same_ids() {
    let (platform, token) = platform().await;
    let attempts = Arc::new(AtomicUsize::new(0));
    // First busy, then the answer is lost, then it is cut off.
    let (counted, http, url) =
        (Arc::clone(&attempts), platform.hub.http.clone(), platform.hub.url("/api/platform/events"));
    let forward = move |headers: HeaderMap, body: Bytes| {
        let attempt = counted.fetch_add(1, Ordering::SeqCst);
        let mut request = http.post(&url).body(body);
        for name in ["dataporter-timestamp", "dataporter-signature"] {
            request = request.header(name, &headers[name]);
        }
        async move {
            if attempt == 0 {
                return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "busy").into_response();
            }
            let answer = request.send().await.unwrap().text().await.unwrap();
            match attempt {
                1 => (StatusCode::BAD_GATEWAY, "lost").into_response(),
                2 => answer[..answer.len() / 2].to_owned().into_response(),
                _ => answer.into_response(),
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().route("/api/platform/events", post(forward));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let script = format!("{EVENTS} echo json_encode($hub->publish([$events[0]]));");
    let results = run(&proxy, SECRET, &token, &script).await;
    assert_eq!(results[0]["duplicate"], true, "{results}");
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
    assert_eq!(platform.count("SELECT count(*) FROM practice_package_orders").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_is_explained_and_not_repeated() {
    let (platform, token) = platform().await;
    let script = "
        try { $hub->publish([1]); echo '\"accepted\"'; }
        catch (DataPorter\\HubException $refusal) { echo json_encode([$refusal->getCode(), $refusal->getMessage()]); }";
    let refused =
        run(&platform.hub.url(""), "a secret that the hub does not have, long", &token, script).await;
    assert_eq!(refused[0], 401);
    assert!(refused[1].as_str().unwrap().contains("firma"), "{refused}");
    let script = script
        .replace("$hub->publish", "(new DataPorter\\Hub('http://127.0.0.1:9', attempts: 2))->publish")
        .replace("[]", "[1]");
    let unreachable = run(&platform.hub.url(""), SECRET, &token, &script).await;
    assert_eq!(unreachable[0], 0, "{unreachable}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outbox_publishes_committed_events_in_order_and_keeps_refused_ones() {
    let (platform, token) = platform().await;
    let script = "
        use DataPorter\\{Hub, Outbox, HubException};
        $pdo = new PDO('sqlite::memory:');
        $pdo->exec('CREATE TABLE dataporter_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE, event TEXT,
            reason TEXT, message TEXT)');
        $outbox = new Outbox($pdo);
        $left = fn () => $pdo->query('SELECT reason FROM dataporter_outbox ORDER BY id')->fetchAll(PDO::FETCH_COLUMN);
        $steps = [$outbox->send($hub)];
        $pdo->beginTransaction();
        $outbox->add(Hub::event('practiceReserved', ['practiceId' => '36', 'userId' => '108']));
        $pdo->rollBack();
        $pdo->beginTransaction();
        $outbox->add(Hub::event('practiceReserved', ['practiceId' => '36', 'userId' => '101']));
        $outbox->add(Hub::event('practiceReserved', ['practiceId' => '36', 'userId' => '102']));
        $outbox->add(Hub::event('reservationCancelled', ['practiceId' => '36', 'userId' => '101']));
        $outbox->add(Hub::event('practicePackagePurchased', ['practicePackageId' => '22', 'userId' => '101', 'meta' => new stdClass()]));
        $pdo->commit();
        try { $outbox->send(new Hub('http://127.0.0.1:9', $secret, attempts: 1)); } catch (HubException) { $steps[] = count($left()); }
        $steps[] = $outbox->send($hub);
        $steps[] = $left();
        $steps[] = $outbox->send($hub);
        $steps[] = $outbox->retryRefused();
        $steps[] = $outbox->send($hub);
        $steps[] = $left();
        echo json_encode($steps);";
    let steps = run(&platform.hub.url(""), SECRET, &token, script).await;
    assert_eq!(steps, json!([0, 4, 3, ["PRACTICE_FULL"], 0, 1, 1, []]));
    let seats = "SELECT user_id, status FROM discord_practice_reservations ORDER BY user_id";
    let expected = json!([{"user_id": 101, "status": "cancelled"}, {"user_id": 102, "status": "confirmed"}]);
    assert_eq!(platform.hub.rows(seats).await, expected);
    assert_eq!(platform.hub.rows("SELECT meta FROM practice_package_orders").await, json!([{"meta": {}}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_reported_for_the_viewer() {
    let (platform, token) = platform().await;
    let script = "
        $report = ['lessonId' => '11', 'source' => 'vimeo', 'lastSecond' => 40, 'clientEventId' => DataPorter\\Hub::newId()];
        echo json_encode([$hub->reportProgress(101, $report), $hub->reportProgress(101, $report)]);";
    let progress = run(&platform.hub.url(""), SECRET, &token, script).await;
    assert_eq!(progress[0], progress[1]);
    assert_eq!(progress[0]["furthestSecond"], 40);
    let events = "SELECT user_id, playback_seconds FROM video_player_events";
    assert_eq!(platform.hub.rows(events).await, json!([{"user_id": 101, "playback_seconds": 40}]));
}
