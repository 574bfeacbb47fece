//! A database that stops responding, as after a failover: connections stay open, but no data arrives.

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

/// The maximum time that a caller waits: one second to detect the silence, two and a half seconds to probe
/// the server twice, and as much again on a busy machine.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(9);

/// More bytes than the buffers between two sockets hold.
const LARGE_BYTES: usize = 50_000_000;

/// Runs a statement with a parameter of this many bytes.
async fn send_parameter(conn: &mut Connection, bytes: usize) -> QueryResult<i32> {
    diesel::select(octet_length("x".repeat(bytes))).get_result(conn).await
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn octet_length(text: Text) -> Integer;
}

/// Waits until a count in the hub's database has this value.
async fn wait_for_count(hub: &Hub, count: &str, expected: i64) {
    let began = Instant::now();
    let mut found = Value::Null;
    while began.elapsed() < MAX_WAIT {
        found = hub.rows(&format!("SELECT ({count}) AS count")).await[0]["count"].take();
        if found == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("expected {expected}, found {found}: {count}");
}
