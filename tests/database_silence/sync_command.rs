//! `telemetry:sync`, which a schedule outside runs and waits for.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;

use crate::harness::proxy::{Newcomers, Proxy};
use crate::sync::ground::Ground;
use crate::sync::program::dataporter;

#[tokio::test]
async fn a_sync_with_a_time_limit_ends_soon_after_it_on_a_silent_database() {
    let ground = Ground::today().await;
    ground.events(400).await;
    ground.slow_ga4(300);
    let proxy = Proxy::start().await;
    let arguments = ["telemetry:sync", "--until-empty", "--max-seconds", "3"];
    let running = dataporter(&ground.hub.database, &ground.services, &arguments)
        .env("DATABASE_URL", ground.hub.database.address_behind(&proxy).expose_secret())
        .output();
    let silenced = async {
        ground.ga4_was_asked(4).await;
        proxy.silence(Newcomers::Silenced);
        Instant::now()
    };
    let (output, since) = tokio::join!(running, silenced);
    let (output, took) = (output.unwrap(), since.elapsed());
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("The database does not answer"), "{told}");
}
