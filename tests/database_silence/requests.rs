//! Requests, whose statements are under way or which are about to take a connection that is dead.

use std::time::{Duration, Instant};

use backend::db::{self, Connection};
use diesel_async::SimpleAsyncConnection as _;
use domain::access::Role;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{BOUND, LARGE, large, until};
use crate::harness::database::TestDatabase;
use crate::harness::hub::Hub;
use crate::harness::proxy::{Direction, Newcomers, Proxy};

const COURSES: &str = "{ courses { id } }";
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND wait_event_type = 'Lock'";

async fn hub(proxy: &Proxy) -> (Hub, String) {
    let hub = Hub::on(TestDatabase::new().await.behind(proxy), |_| {}).await;
    let admin = hub.user(Role::Admin).await.token;
    (hub, admin)
}

/// A connection to a database of its own, which lives as long as the second value.
async fn connected() -> (Proxy, TestDatabase, Connection) {
    let (proxy, database) = (Proxy::start().await, TestDatabase::new().await);
    let conn = db::connect(&database.address_behind(&proxy)).await.unwrap();
    (proxy, database, conn)
}

#[tokio::test]
async fn a_statement_whose_answer_is_lost_is_given_up_and_one_that_takes_long_is_not() {
    let proxy = Proxy::start().await;
    let (hub, admin) = hub(&proxy).await;
    let locker = hub.database.client().await;
    locker.batch_execute("BEGIN; LOCK TABLE courses").await.unwrap();
    let asked = |_| async {
        let began = Instant::now();
        (hub.graphql(COURSES).by(&admin).send().await, began.elapsed())
    };
    let first = async {
        until(&hub, WAITING, 4).await;
        // Longer than the server may be silent without being asked.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(hub.rows(WAITING).await[0]["count"], 4, "they still wait");
        locker.batch_execute("ROLLBACK").await.unwrap();
    };
    let (answers, ()) = tokio::join!(join_all((0..4).map(asked)), first);
    for (answer, _) in answers {
        assert!(answer.body["data"]["courses"].is_array(), "{answer:?}");
    }

    locker.batch_execute("BEGIN; LOCK TABLE courses").await.unwrap();
    let lost = async {
        until(&hub, WAITING, 4).await;
        proxy.silence(Newcomers::Served);
        locker.batch_execute("ROLLBACK").await.unwrap();
    };
    let (answers, ()) = tokio::join!(join_all((0..4).map(asked)), lost);
    for (answer, took) in answers {
        assert!(answer.body["errors"].is_array() && took < BOUND, "{took:?}: {answer:?}");
    }
    for (answer, _) in join_all((0..8).map(asked)).await {
        assert!(answer.body["data"]["courses"].is_array(), "new connections work: {answer:?}");
    }
}

#[tokio::test]
async fn nobody_hangs_on_the_dead_connections_of_a_pool_and_it_recovers_with_the_network() {
    let proxy = Proxy::start().await;
    let (hub, admin) = hub(&proxy).await;
    let asked = |_| async {
        let began = Instant::now();
        (hub.graphql(COURSES).by(&admin).send().await, began.elapsed())
    };
    for (answer, _) in join_all((0..8).map(asked)).await {
        assert!(answer.body["data"]["courses"].is_array(), "{answer:?}");
    }
    proxy.silence(Newcomers::Silenced);
    for (answer, took) in join_all((0..16).map(asked)).await {
        assert!(answer.body["data"].is_null() && took < BOUND, "{took:?}: {answer:?}");
    }
    proxy.take(Newcomers::Served);
    for (answer, _) in join_all((0..16).map(asked)).await {
        assert!(answer.body["data"]["courses"].is_array(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_statement_whose_answer_does_not_get_through_is_given_up() {
    let (proxy, _database, mut conn) = connected().await;
    let began = Instant::now();
    let silenced = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        proxy.silence(Newcomers::Served);
    };
    // More than lies between two sockets.
    let answer = conn.batch_execute("SELECT pg_sleep(1); SELECT repeat('x', 100000000)");
    let (lost, ()) = tokio::join!(timeout(BOUND, answer), silenced);
    assert!(lost.expect("it is given up").is_err());
    assert!(began.elapsed() > Duration::from_secs(1), "not before the server had the answer");
}

#[tokio::test]
async fn a_statement_that_cannot_be_sent_as_a_whole_is_given_up() {
    let (proxy, _database, mut conn) = connected().await;
    // The statement is prepared from here on.
    large(&mut conn, 1).await.unwrap();
    proxy.silence(Newcomers::Served);
    assert!(timeout(BOUND, large(&mut conn, LARGE)).await.expect("it is given up").is_err());
}

#[tokio::test]
async fn a_statement_that_is_sent_slowly_is_not_given_up() {
    let (proxy, _database, mut conn) = connected().await;
    proxy.slow_down(Duration::from_millis(4));
    let began = Instant::now();
    assert_eq!(large(&mut conn, LARGE).await.unwrap(), 50_000_000);
    assert!(began.elapsed() > Duration::from_secs(2), "that would have been silence");
}

#[tokio::test]
async fn an_answer_that_comes_together_with_the_end_of_the_connection_counts() {
    let (proxy, database, mut conn) = connected().await;
    let administrator = database.client().await;
    let named = "application_name = 'about to end'";
    conn.batch_execute(&format!("SET {named}")).await.unwrap();
    proxy.hold(Direction::Answers);
    let ended = async {
        let idle = format!("FROM pg_stat_activity WHERE {named} AND state = 'idle' AND query LIKE 'CREATE%'");
        let end = format!("SELECT pg_terminate_backend(pid, 5000) {idle}");
        while administrator.query_opt(&end, &[]).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.release();
    };
    let both = async { tokio::join!(conn.batch_execute("CREATE TABLE made ()"), ended) };
    let (answer, ()) = timeout(BOUND, both).await.expect("it comes");
    answer.unwrap();
    assert!(conn.batch_execute("SELECT 1").await.is_err(), "the connection has ended");
}

#[tokio::test]
async fn a_statement_outlives_a_server_that_says_no_when_it_is_asked() {
    let (_proxy, database, mut conn) = connected().await;
    database.close_to_newcomers().await;
    timeout(BOUND, conn.batch_execute("SELECT pg_sleep(4)")).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_statement_outlives_a_server_that_cannot_be_asked_once() {
    let (proxy, _database, mut conn) = connected().await;
    proxy.take(Newcomers::TurnedAway);
    let asked = async {
        while proxy.turned_away() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.take(Newcomers::Served);
    };
    let (answer, ()) = tokio::join!(timeout(BOUND, conn.batch_execute("SELECT pg_sleep(4)")), asked);
    answer.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_statement_of_which_a_part_was_sent_while_the_server_was_asked_is_given_up() {
    let (proxy, _database, mut conn) = connected().await;
    large(&mut conn, 1).await.unwrap();
    // The question hangs.
    proxy.take(Newcomers::Silenced);
    proxy.hold(Direction::Requests);
    proxy.slow_down(Duration::from_millis(20));
    let interrupted = async {
        tokio::time::sleep(Duration::from_millis(1800)).await;
        proxy.release();
        tokio::time::sleep(Duration::from_millis(700)).await;
        proxy.silence(Newcomers::Silenced);
    };
    let both = async { tokio::join!(large(&mut conn, LARGE), interrupted) };
    let (answer, ()) = timeout(2 * BOUND, both).await.expect("it is given up");
    assert!(answer.is_err());
}
