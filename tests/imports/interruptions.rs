//! Imports whose process is killed, or whose database falls silent, and the same import again.

use std::time::{Duration, Instant};

use domain::access::{Role, TokenScope};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::task::JoinHandle;

use super::progress::{TABLE_LOCK, file, last_import};
use super::{ALL_OR_NOTHING, IMPORT, counts, form, hub, hub_on, import, send, student_snapshots};
use crate::harness::blocker::{Blocker, wait_for};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{NewConnections, Proxy};
use crate::sync::program::{serve_by, without_drivers};
use crate::unresponsive_database::MAX_WAIT;

/// The number of imported rows. They take several chunks.
const ROWS: usize = 20_000;

/// The delay of each 64 KiB with which a chunk is copied for a while.
const SLOW: Duration = Duration::from_millis(100);

#[tokio::test]
async fn an_import_whose_process_is_killed_writes_nothing_and_can_be_repeated() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let token = hub.api_token(admin.id, &[TokenScope::Import]).await;
    // In the order of an import: looking up ids, waiting for its turn, recording, and storing the result.
    for statement in [
        "LOCK TABLE courses IN ACCESS EXCLUSIVE MODE",
        TABLE_LOCK,
        "LOCK TABLE student_activity_snapshots IN SHARE MODE",
        "LOCK TABLE imports IN SHARE ROW EXCLUSIVE MODE",
    ] {
        let (mut server, address) = serve(&hub, &hub.database.url).await;
        let is_last = statement.contains("imports IN");
        // The last statement would block the start of the import too.
        let turn = Blocker::new(&hub, if is_last { TABLE_LOCK } else { statement }).await;
        let sent = send_to(&hub, &address, &token);
        Blocker::is_reached(&hub).await;
        let result = if is_last { Some(Blocker::new(&hub, statement).await) } else { None };
        if is_last {
            drop(turn);
            let waiting =
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass";
            wait_for(&hub, waiting, 1).await.expect("the import stores its result");
            server.start_kill().unwrap();
        } else {
            server.start_kill().unwrap();
            drop(turn);
        }
        server.wait().await.unwrap();
        drop(result);
        assert!(sent.await.unwrap().is_err(), "the server answers nothing: {statement}");
        session_has_ended(&hub).await;
        assert_eq!(student_snapshots(&hub).await.len(), 0, "{statement}");
        assert_eq!(last_import(&hub).await["state"], "running", "{statement}");
    }
    let mut conn = hub.app.pool.get().await.unwrap();
    backend::import::close_abandoned(&hub.app, &mut conn).await.unwrap();
    drop(conn);
    assert_eq!(hub.rows("SELECT count(*) FROM imports WHERE state = 'failed'").await, json!([{"count": 4}]));
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file(ROWS)).await), json!(["DONE", ROWS, 0, 0]));
    assert_rows_are_exact(&hub).await;
}

/// Checks that each of the [`ROWS`] was recorded once.
async fn assert_rows_are_exact(hub: &Hub) {
    let exact =
        "SELECT count(*), count(DISTINCT value) AS values, max(value) FROM student_activity_snapshots";
    assert_eq!(hub.rows(exact).await, json!([{"count": ROWS, "values": ROWS, "max": ROWS - 1}]));
}

#[tokio::test]
async fn an_import_that_is_killed_while_it_copies_writes_nothing() {
    let proxy = Proxy::start().await;
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let token = hub.api_token(admin.id, &[TokenScope::Import]).await;
    let (mut server, address) = serve(&hub, &hub.database.url_through(&proxy)).await;
    proxy.slow_down(SLOW);
    let sent = send_to(&hub, &address, &token);
    is_copying(&hub).await;
    server.start_kill().unwrap();
    server.wait().await.unwrap();
    assert!(sent.await.unwrap().is_err());
    session_has_ended(&hub).await;
    assert_eq!(student_snapshots(&hub).await.len(), 0);
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file(ROWS)).await), json!(["DONE", ROWS, 0, 0]));
    assert_rows_are_exact(&hub).await;
}

#[tokio::test]
async fn an_import_that_is_killed_when_it_commits_is_complete() {
    let hub = hub().await;
    let admin = hub.user(Role::Admin).await;
    let token = hub.api_token(admin.id, &[TokenScope::Import]).await;
    // A deferred trigger runs at COMMIT.
    hub.sql(
        "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON student_activity_snapshots
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.value = 0) EXECUTE FUNCTION wait_at_commit()",
    )
    .await;
    let (mut server, address) = serve(&hub, &hub.database.url).await;
    let blocker = Blocker::new(&hub, "SELECT pg_advisory_xact_lock(42)").await;
    let sent = send_to(&hub, &address, &token);
    Blocker::is_reached(&hub).await;
    server.start_kill().unwrap();
    server.wait().await.unwrap();
    drop(blocker);
    assert!(sent.await.unwrap().is_err());
    session_has_ended(&hub).await;
    // The server had asked for the commit, so the database completed it.
    assert_eq!(last_import(&hub).await["state"], "done");
    assert_rows_are_exact(&hub).await;
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file(ROWS)).await), json!(["DONE", 0, ROWS, 0]));
    assert_rows_are_exact(&hub).await;
}

#[tokio::test]
async fn an_import_fails_if_the_database_falls_silent_while_it_copies() {
    let proxy = Proxy::start().await;
    let hub = hub_on(TestDatabase::new().await.through(&proxy)).await;
    let admin = hub.user(Role::Admin).await;
    let importing = async {
        let response = send(&hub, &admin, ALL_OR_NOTHING, file(ROWS)).await;
        (response, Instant::now())
    };
    let silenced = async {
        // The request itself is authenticated at full speed.
        wait_for(&hub, "SELECT count(*) FROM imports", 1).await.expect("the import begins");
        proxy.slow_down(SLOW);
        is_copying(&hub).await;
        proxy.silence(NewConnections::Silent);
        Instant::now()
    };
    let ((response, answered), silenced) = tokio::join!(importing, silenced);
    assert_eq!(response.code(), "UNAVAILABLE");
    let waited = answered - silenced;
    assert!(waited < MAX_WAIT, "{waited:?}");
    proxy.slow_down(Duration::ZERO);
    // The network is back, and the server notices that the client is gone.
    proxy.cut(NewConnections::Forwarded);
    session_has_ended(&hub).await;
    assert_eq!(student_snapshots(&hub).await.len(), 0);
    assert_eq!(counts(&import(&hub, &admin, ALL_OR_NOTHING, file(ROWS)).await), json!(["DONE", ROWS, 0, 0]));
    assert_rows_are_exact(&hub).await;
}

/// Sends the file to a server.
fn send_to(hub: &Hub, address: &str, token: &str) -> JoinHandle<reqwest::Result<reqwest::Response>> {
    let variables = json!({
        "file": null, "dataset": "STUDENT_ACTIVITY_SNAPSHOTS", "mode": "ALL_OR_NOTHING", "dryRun": false,
    });
    let request = hub.http.post(format!("{address}/graphql")).bearer_auth(token);
    let request = request.header("graphql-require-preflight", "1");
    tokio::spawn(request.multipart(form(IMPORT, &variables, file(ROWS))).send())
}

/// Waits until an import is copying rows.
async fn is_copying(hub: &Hub) {
    let copying = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0";
    wait_for(hub, copying, 1).await.expect("the import copies rows");
}

/// Waits until the session of an import has ended.
async fn session_has_ended(hub: &Hub) {
    let locks = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
        WHERE datname = current_database() AND locktype = 'advisory'";
    wait_for(hub, locks, 0).await.expect("the session ends");
}

/// Starts a real server on a database. Returns the process and its address.
async fn serve(hub: &Hub, database: &SecretString) -> (tokio::process::Child, String) {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--no-scheduler"];
    let mut command = without_drivers(&hub.database, &arguments);
    command.env("DATABASE_URL", database.expose_secret());
    serve_by(command).await
}
