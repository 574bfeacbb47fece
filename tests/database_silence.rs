//! A database that falls silent, as after a failover or a dropped route: connections stay open, and nothing comes over
//! them any more.

mod abandoned;
mod recording;
mod requests;
mod sync_command;

use std::time::{Duration, Instant};

use backend::db::Connection;
use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use crate::harness::hub::Hub;

/// How long anybody may be kept waiting: a second until silence is noticed and two and a half for asking after it twice,
/// and as much again on a busy machine.
const BOUND: Duration = Duration::from_secs(9);

/// More than lies between two sockets.
const LARGE: usize = 50_000_000;

/// A statement with a value of this many bytes.
async fn large(conn: &mut Connection, bytes: usize) -> QueryResult<i32> {
    diesel::select(octet_length("x".repeat(bytes))).get_result(conn).await
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn octet_length(text: Text) -> Integer;
}

/// Waits until a count in the hub's database is this.
async fn until(hub: &Hub, count: &str, wanted: i64) {
    let began = Instant::now();
    let mut found = Value::Null;
    while began.elapsed() < BOUND {
        found = hub.rows(&format!("SELECT ({count}) AS count")).await[0]["count"].take();
        if found == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{found} instead of {wanted}: {count}");
}
