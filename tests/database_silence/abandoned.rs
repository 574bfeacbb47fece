//! What is left in the middle of something: a statement that nobody waits for, a transaction that nobody ends.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use tokio::time::timeout;

use super::{BOUND, LARGE, large, until};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{Newcomers, Proxy};

const AT_WORK: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)' \
     AND state = 'active'";
const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND state LIKE 'idle in transaction%'";

#[tokio::test]
async fn a_connection_whose_statement_was_abandoned_is_never_used_again() {
    let hub = Hub::start().await;
    hub.app.pool.resize(1);
    let mut conn = hub.app.pool.get().await.unwrap();
    let asleep = timeout(Duration::from_millis(300), conn.batch_execute("SELECT pg_sleep(60)")).await;
    assert!(asleep.is_err());
    drop(conn);
    let began = Instant::now();
    hub.app.pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap();
    assert!(began.elapsed() < BOUND);
    until(&hub, AT_WORK, 0).await;
}

#[tokio::test]
async fn a_connection_that_took_only_a_part_of_an_abandoned_statement_is_never_used_again() {
    let proxy = Proxy::start().await;
    let database = TestDatabase::new().await.behind(&proxy);
    database.pool.resize(1);
    let mut conn = database.pool.get().await.unwrap();
    // The statement is prepared from here on.
    large(&mut conn, 1).await.unwrap();
    proxy.silence(Newcomers::Served);
    assert!(timeout(Duration::from_millis(300), large(&mut conn, LARGE)).await.is_err());
    drop(conn);
    let again = async { database.pool.get().await.unwrap().batch_execute("SELECT 1").await.unwrap() };
    timeout(BOUND, again).await.expect("another connection is opened");
}

#[tokio::test]
async fn a_transaction_that_nobody_ends_is_rolled_back_before_anybody_asks_for_its_connection() {
    let hub = Hub::start().await;
    hub.academy.course().await;
    let mut conn = hub.app.pool.get().await.unwrap();
    conn.batch_execute("BEGIN; UPDATE courses SET slug = 'changed'").await.unwrap();
    drop(conn);
    until(&hub, OPEN, 0).await;
    assert_eq!(hub.rows("SELECT count(*) FROM courses WHERE slug = 'changed'").await[0]["count"], 0);
}
