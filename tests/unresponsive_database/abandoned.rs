//! Connections that are dropped during a statement or a transaction.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use tokio::time::timeout;

use super::{LARGE_BYTES, MAX_WAIT, send_parameter, wait_for_count};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{NewConnections, Proxy};

const RUNNING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)' \
     AND state = 'active'";
const OPEN_TRANSACTIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND state LIKE 'idle in transaction%'";

#[tokio::test]
async fn a_connection_with_an_abandoned_statement_is_not_reused() {
    let hub = Hub::start().await;
    hub.app.pool.resize(1);
    let mut conn = hub.app.pool.get().await.unwrap();
    let timed_out = timeout(Duration::from_millis(300), conn.batch_execute("SELECT pg_sleep(60)")).await;
    assert!(timed_out.is_err());
    drop(conn);
    let began = Instant::now();
    hub.app.pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap();
    assert!(began.elapsed() < MAX_WAIT);
    wait_for_count(&hub, RUNNING, 0).await;
}

#[tokio::test]
async fn a_connection_with_a_partly_sent_statement_is_not_reused() {
    let proxy = Proxy::start().await;
    let database = TestDatabase::new().await.through(&proxy);
    database.pool.resize(1);
    let mut conn = database.pool.get().await.unwrap();
    // Prepares the statement, so that only its execution is sent below.
    send_parameter(&mut conn, 1).await.unwrap();
    proxy.silence(NewConnections::Forwarded);
    assert!(timeout(Duration::from_millis(300), send_parameter(&mut conn, LARGE_BYTES)).await.is_err());
    drop(conn);
    let next_use = async { database.pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap() };
    timeout(MAX_WAIT, next_use).await.expect("the pool opens another connection");
}

#[tokio::test]
async fn an_abandoned_transaction_is_rolled_back_immediately() {
    let hub = Hub::start().await;
    hub.academy.course().await;
    let mut conn = hub.app.pool.get().await.unwrap();
    conn.batch_execute("BEGIN; UPDATE courses SET slug = 'changed'").await.unwrap();
    drop(conn);
    wait_for_count(&hub, OPEN_TRANSACTIONS, 0).await;
    assert_eq!(hub.rows("SELECT count(*) FROM courses WHERE slug = 'changed'").await[0]["count"], 0);
}
