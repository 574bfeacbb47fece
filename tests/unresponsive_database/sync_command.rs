//! `telemetry:sync`, run by an external scheduler that waits for it.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;

use crate::harness::proxy::{NewConnections, Proxy};
use crate::sync::fixture::SyncFixture;
use crate::sync::program::dataporter;

#[tokio::test]
async fn a_time_limited_sync_ends_on_an_unresponsive_database() {
    let fixture = SyncFixture::on_system_clock().await;
    fixture.insert_events(400).await;
    fixture.slow_ga4(300);
    let proxy = Proxy::start().await;
    let arguments = ["telemetry:sync", "--until-empty", "--max-seconds", "3"];
    let running = dataporter(&fixture.hub.database, &fixture.services, &arguments)
        .env("DATABASE_URL", fixture.hub.database.url_through(&proxy).expose_secret())
        .output();
    let silenced = async {
        fixture.wait_for_ga4_requests(4).await;
        proxy.silence(NewConnections::Silent);
        Instant::now()
    };
    let (output, since) = tokio::join!(running, silenced);
    let (output, elapsed) = (output.unwrap(), since.elapsed());
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("The database does not respond"), "{stderr}");
}
