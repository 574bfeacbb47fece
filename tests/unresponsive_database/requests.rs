//! Requests with a statement in progress, or about to use a dead connection.

use std::time::{Duration, Instant};

use backend::db::{self, Connection};
use diesel_async::SimpleAsyncConnection as _;
use domain::access::Role;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{LARGE_BYTES, MAX_WAIT, send_parameter, wait_for_count};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{Direction, NewConnections, Proxy};

const COURSES: &str = "{ courses { id } }";
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND wait_event_type = 'Lock'";

async fn hub(proxy: &Proxy) -> (Hub, String) {
    let hub = Hub::on(TestDatabase::new().await.through(proxy), |_| {}).await;
    let admin = hub.user(Role::Admin).await.token;
    (hub, admin)
}

/// A connection to a new database through a new proxy. Keep all three values while it is used.
async fn connected() -> (Proxy, TestDatabase, Connection) {
    let (proxy, database) = (Proxy::start().await, TestDatabase::new().await);
    let conn = db::connect(&database.url_through(&proxy)).await.unwrap();
    (proxy, database, conn)
}

#[tokio::test]
async fn a_statement_fails_if_its_result_is_lost_but_not_if_it_is_slow() {
    let proxy = Proxy::start().await;
    let (hub, admin) = hub(&proxy).await;
    let locking_client = hub.database.client().await;
    locking_client.batch_execute("BEGIN; LOCK TABLE courses").await.unwrap();
    let send_query = |_| async {
        let began = Instant::now();
        (hub.graphql(COURSES).by(&admin).send().await, began.elapsed())
    };
    let unlock_later = async {
        wait_for_count(&hub, WAITING, 4).await;
        // Longer than the silence after which the server is probed.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(hub.rows(WAITING).await[0]["count"], 4, "the statements are still waiting");
        locking_client.batch_execute("ROLLBACK").await.unwrap();
    };
    let (responses, ()) = tokio::join!(join_all((0..4).map(send_query)), unlock_later);
    for (response, _) in responses {
        assert!(response.body["data"]["courses"].is_array(), "{response:?}");
    }

    locking_client.batch_execute("BEGIN; LOCK TABLE courses").await.unwrap();
    let lost = async {
        wait_for_count(&hub, WAITING, 4).await;
        proxy.silence(NewConnections::Forwarded);
        locking_client.batch_execute("ROLLBACK").await.unwrap();
    };
    let (responses, ()) = tokio::join!(join_all((0..4).map(send_query)), lost);
    for (response, elapsed) in responses {
        assert!(response.body["errors"].is_array() && elapsed < MAX_WAIT, "{elapsed:?}: {response:?}");
    }
    for (response, _) in join_all((0..8).map(send_query)).await {
        assert!(response.body["data"]["courses"].is_array(), "new connections work: {response:?}");
    }
}

#[tokio::test]
async fn requests_fail_fast_on_dead_connections_and_then_recover() {
    let proxy = Proxy::start().await;
    let (hub, admin) = hub(&proxy).await;
    let send_query = |_| async {
        let began = Instant::now();
        (hub.graphql(COURSES).by(&admin).send().await, began.elapsed())
    };
    for (response, _) in join_all((0..8).map(send_query)).await {
        assert!(response.body["data"]["courses"].is_array(), "{response:?}");
    }
    proxy.silence(NewConnections::Silent);
    for (response, elapsed) in join_all((0..16).map(send_query)).await {
        assert!(response.body["data"].is_null() && elapsed < MAX_WAIT, "{elapsed:?}: {response:?}");
    }
    proxy.set_new_connections(NewConnections::Forwarded);
    for (response, _) in join_all((0..16).map(send_query)).await {
        assert!(response.body["data"]["courses"].is_array(), "{response:?}");
    }
}

#[tokio::test]
async fn a_statement_fails_if_its_result_stops_arriving() {
    let (proxy, _database, mut conn) = connected().await;
    let began = Instant::now();
    let silenced = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        proxy.silence(NewConnections::Forwarded);
    };
    // The result is larger than the buffers between two sockets.
    let response = conn.batch_execute("SELECT pg_sleep(1); SELECT repeat('x', 100000000)");
    let (lost, ()) = tokio::join!(timeout(MAX_WAIT, response), silenced);
    assert!(lost.expect("the statement fails in time").is_err());
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "the statement fails only after the server has the result"
    );
}

#[tokio::test]
async fn a_statement_fails_if_it_cannot_be_sent_completely() {
    let (proxy, _database, mut conn) = connected().await;
    // Prepares the statement, so that only its execution is sent below.
    send_parameter(&mut conn, 1).await.unwrap();
    proxy.silence(NewConnections::Forwarded);
    assert!(
        timeout(MAX_WAIT, send_parameter(&mut conn, LARGE_BYTES))
            .await
            .expect("the statement fails in time")
            .is_err()
    );
}

#[tokio::test]
async fn a_statement_that_is_sent_slowly_succeeds() {
    let (proxy, _database, mut conn) = connected().await;
    proxy.slow_down(Duration::from_millis(4));
    let began = Instant::now();
    assert_eq!(send_parameter(&mut conn, LARGE_BYTES).await.unwrap(), 50_000_000);
    assert!(began.elapsed() > Duration::from_secs(2), "sending takes longer than the silence timeout");
}

#[tokio::test]
async fn a_result_that_arrives_as_the_connection_closes_is_used() {
    let (proxy, database, mut conn) = connected().await;
    let admin_client = database.client().await;
    let filter = "application_name = 'about to end'";
    conn.batch_execute(&format!("SET {filter}")).await.unwrap();
    proxy.pause(Direction::Responses);
    let ended = async {
        let idle =
            format!("FROM pg_stat_activity WHERE {filter} AND state = 'idle' AND query LIKE 'CREATE%'");
        let end = format!("SELECT pg_terminate_backend(pid, 5000) {idle}");
        while admin_client.query_opt(&end, &[]).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.resume();
    };
    let joined = async { tokio::join!(conn.batch_execute("CREATE TABLE made ()"), ended) };
    let (response, ()) = timeout(MAX_WAIT, joined).await.expect("the result arrives");
    response.unwrap();
    assert!(conn.batch_execute("SELECT 1").await.is_err(), "the connection is closed");
}

#[tokio::test]
async fn a_statement_survives_a_server_that_refuses_probes() {
    let (_proxy, database, mut conn) = connected().await;
    database.refuse_new_connections().await;
    timeout(MAX_WAIT, conn.batch_execute("SELECT pg_sleep(4)")).await.expect("the statement ends").unwrap();
}

#[tokio::test]
async fn a_statement_survives_one_failed_probe() {
    let (proxy, _database, mut conn) = connected().await;
    proxy.set_new_connections(NewConnections::Refused);
    let probed = async {
        while proxy.refused_connections() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.set_new_connections(NewConnections::Forwarded);
    };
    let (response, ()) = tokio::join!(timeout(MAX_WAIT, conn.batch_execute("SELECT pg_sleep(4)")), probed);
    response.expect("the statement ends").unwrap();
}

#[tokio::test]
async fn a_statement_interrupted_during_a_probe_fails() {
    let (proxy, _database, mut conn) = connected().await;
    send_parameter(&mut conn, 1).await.unwrap();
    // The probe gets no response.
    proxy.set_new_connections(NewConnections::Silent);
    proxy.pause(Direction::Requests);
    proxy.slow_down(Duration::from_millis(20));
    let interrupted = async {
        tokio::time::sleep(Duration::from_millis(1800)).await;
        proxy.resume();
        tokio::time::sleep(Duration::from_millis(700)).await;
        proxy.silence(NewConnections::Silent);
    };
    let joined = async { tokio::join!(send_parameter(&mut conn, LARGE_BYTES), interrupted) };
    let (response, ()) = timeout(2 * MAX_WAIT, joined).await.expect("the statement fails in time");
    assert!(response.is_err());
}
